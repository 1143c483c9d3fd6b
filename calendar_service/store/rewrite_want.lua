#!lua flags=allow-oom
-- Something was erased: it still stands in the database's files. The oldest such instant stays; each wish is counted, so
-- that one which comes during a rewrite is not taken for done. KEYS: rewrite. A: offset
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
redis.call('HSETNX', KEYS[1], 'since', string.format('%.0f', now))
redis.call('HINCRBY', KEYS[1], 'wishes', 1)
return {'ok'}
