#!lua flags=allow-oom
-- Remove the audit entries past their term, up to a head that a checkpoint states, and the receipts that they name.
-- keys: audit_log audit_macs audit_chain receipts
-- args: checkpoint number id mac
--   checkpoint: the number of the checkpoint
--   number: the number of the head
--   id: the entry's id of the head
--   mac: the MAC of the head
-- answers: ok
--   ok: removed, now or before
if tonumber(redis.call('HGET', KEY.audit_chain, 'base_checkpoint') or '0') >= tonumber(arg.checkpoint) then return {'ok'} end
for _, entry in ipairs(redis.call('XRANGE', KEY.audit_log, '-', arg.id)) do
  local is_json, fields = pcall(cjson.decode, entry[2][4] or '')
  if is_json and type(fields) == 'table' and fields.receipt then redis.call('HDEL', KEY.receipts, fields.receipt) end
end
local after = string.gsub(arg.id, '%d+$', function(sequence) return string.format('%.0f', tonumber(sequence) + 1) end)
redis.call('XTRIM', KEY.audit_log, 'MINID', after)
redis.call('XTRIM', KEY.audit_macs, 'MINID', after)
redis.call('HSET', KEY.audit_chain, 'base_checkpoint', arg.checkpoint, 'base_number', arg.number, 'base_id', arg.id,
  'base_mac', arg.mac)
return {'ok'}
