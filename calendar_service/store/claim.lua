#!lua flags=allow-oom
-- Lease the agents that are due, never pop them: a worker that dies leaves its agents to the next. A: offset, limit, lease
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
local members = redis.call('ZRANGE', KEYS[1], '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[2]))
for _, member in ipairs(members) do
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), member)
end
return members
