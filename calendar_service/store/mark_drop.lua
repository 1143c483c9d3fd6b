#!lua flags=allow-oom
-- Nobody has this connection. A: offset, connection, when it had joined, how long joining may precede the connection
-- (ms), this process's clock, tolerated difference of clocks (ms)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
-- By a wrong clock, one that has only just joined would seem old.
if math.abs(now - tonumber(ARGV[5])) > tonumber(ARGV[6]) then return {0} end
-- An instant of a time to come was given by a clock since put right.
if math.abs(now - tonumber(ARGV[3])) <= tonumber(ARGV[4]) then return {0} end
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[3] then return {0} end
redis.call('HDEL', KEYS[1], ARGV[2])
return {1}
