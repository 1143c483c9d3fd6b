#!lua flags=allow-oom
-- A: offset, connection, deadline of a revocation (ms; 0 = none is sent, so none is announced)
local time, deadline = redis.call('TIME'), tonumber(ARGV[3])
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[2])
local revoking = redis.call('HGET', KEYS[1], 'revoking')
if redis.call('HLEN', KEYS[1]) - (revoking and 1 or 0) > 0 then return {0} end
if deadline > 0 then
  redis.call('HSET', KEYS[1], 'revoking', string.format('%.0f', now + deadline))
  redis.call('PEXPIRE', KEYS[1], 3600000)
end
return {1}
