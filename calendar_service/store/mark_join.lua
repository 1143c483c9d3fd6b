#!lua
-- A: offset, connection, expiry (ms). The field `revoking` is the end of a revocation's deadline, every other field a
-- connection, with the instant at which it joined.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
redis.call('HSET', KEYS[1], ARGV[2], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {tonumber(redis.call('HGET', KEYS[1], 'revoking') or '0')}
