#!lua
-- Entries get their MACs, from the head that the sealer read: whoever comes second changes nothing.
-- KEYS: seals, trail. A: offset, head's number, id and MAC as read, the new head's seal, then id, number, MAC of each
local S, C = KEYS[1], KEYS[2]
local head = redis.call('HMGET', C, 'number', 'id', 'mac')
if (head[1] or '0') ~= ARGV[2] or (head[2] or '0-0') ~= ARGV[3] or (head[3] or '') ~= ARGV[4] then return {'moved'} end
local last = redis.call('XREVRANGE', S, '+', '-', 'COUNT', 1)[1]
if (last and last[1] or redis.call('HGET', C, 'base_id') or '0-0') ~= ARGV[3] then return {'broken'} end
for i = 6, #ARGV, 3 do
  redis.call('XADD', S, ARGV[i], 'number', ARGV[i + 1], 'mac', ARGV[i + 2])
end
redis.call('HSET', C, 'number', ARGV[#ARGV - 1], 'id', ARGV[#ARGV - 2], 'mac', ARGV[#ARGV], 'seal', ARGV[5])
return {'ok'}
