#!lua
-- Count one act behind a reviewer's link, in a window of a minute from the first.
-- keys: acts
-- args: none
-- returns: how many there were
local acts = redis.call('INCR', KEY.acts)
if acts == 1 then redis.call('PEXPIRE', KEY.acts, LIFETIME.reviewer_acts_counted) end
return {acts}
