#!lua
-- A: offset, connection, expiry (ms). The field `revoking` is an instant, every other field a connection.
redis.call('HSET', KEYS[1], ARGV[2], '1')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local revoking = redis.call('HGET', KEYS[1], 'revoking')
return {redis.call('HLEN', KEYS[1]) - 1 - (revoking and 1 or 0), tonumber(revoking or '0')}
