#!lua
-- One checkpoint of each number. KEYS: checkpoints. A: offset, number, document
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if tonumber(newest or '0') ~= tonumber(ARGV[2]) - 1 then return {'moved'} end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
return {'ok'}
