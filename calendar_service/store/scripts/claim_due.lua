#!lua flags=allow-oom
-- Lease the members of a sorted set that are due, never pop them: a worker that dies leaves them to the next one.
-- keys: due
-- args: limit lease
--   limit: how many at most
--   lease: for how long (ms) nobody else gets them
-- returns: the members
-- use: clock
local members = redis.call('ZRANGE', KEY.due, '-inf', ms(now), 'BYSCORE', 'LIMIT', 0, tonumber(arg.limit))
for _, member in ipairs(members) do
  redis.call('ZADD', KEY.due, ms(now + tonumber(arg.lease)), member)
end
return members
