#!lua flags=allow-oom
-- What is past its term ends, up to a head that a checkpoint holds; the receipts that it names end with it.
-- KEYS: journal, seals, trail, receipts. A: offset, the checkpoint, number, id and MAC of its head
local J, S, C, R = unpack(KEYS)
if tonumber(redis.call('HGET', C, 'base_checkpoint') or '0') >= tonumber(ARGV[2]) then return {'ok'} end
for _, found in ipairs(redis.call('XRANGE', J, '-', ARGV[4])) do
  local read, fields = pcall(cjson.decode, found[2][4] or '')
  if read and type(fields) == 'table' and fields.receipt then redis.call('HDEL', R, fields.receipt) end
end
local after = string.gsub(ARGV[4], '%d+$', function(number) return string.format('%.0f', tonumber(number) + 1) end)
redis.call('XTRIM', J, 'MINID', after)
redis.call('XTRIM', S, 'MINID', after)
redis.call('HSET', C, 'base_checkpoint', ARGV[2], 'base_number', ARGV[3], 'base_id', ARGV[4], 'base_mac', ARGV[5])
return {'ok'}
