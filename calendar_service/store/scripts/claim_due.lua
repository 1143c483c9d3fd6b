#!lua flags=allow-oom
-- Lease members of a sorted set that are due: each is moved ahead and stays, so a worker that dies leaves it to the next.
-- keys: due
-- args: limit lease
--   limit: how many at most
--   lease: for how long (ms) no other worker gets them
-- returns: the leased members, the longest due first
-- use: clock
local members = redis.call('ZRANGE', KEY.due, '-inf', ms(now), 'BYSCORE', 'LIMIT', 0, tonumber(arg.limit))
for _, member in ipairs(members) do
  redis.call('ZADD', KEY.due, ms(now + tonumber(arg.lease)), member)
end
return members
