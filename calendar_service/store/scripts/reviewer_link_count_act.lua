#!lua
-- Count one act behind a reviewer's link; the count begins anew after a minute.
-- keys: acts
-- args: none
-- returns: how many there were
local acts = redis.call('INCR', KEY.acts)
if acts == 1 then redis.call('PEXPIRE', KEY.acts, LIFETIME.reviewer_acts_counted) end
return {acts}
