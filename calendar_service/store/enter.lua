#!lua flags=allow-oom
-- An entry that belongs to no connection. KEYS: journal of shard 0. A: offset, the entry
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
redis.call('XADD', KEYS[1], '*', 'at', string.format('%.0f', now), 'entry', ARGV[2])
return {'ok'}
