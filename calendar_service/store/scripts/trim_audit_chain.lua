#!lua flags=allow-oom
-- Remove the audit entries past their term, up to a head that a checkpoint states, and the receipts that they name.
-- keys: audit_log audit_macs audit_batches audit_chain receipts
-- args: checkpoint number id mac receipts...
--   checkpoint: the number of the checkpoint
--   number: the number of the head
--   id: the entry's id of the head
--   mac: the MAC of the head
--   receipts: the numbers of the receipts that these entries name
-- answers: ok
--   ok: removed, now or before
if tonumber(redis.call('HGET', KEY.audit_chain, 'base_checkpoint') or '0') >= tonumber(arg.checkpoint) then return {'ok'} end
for _, receipt in ipairs(arg.receipts) do redis.call('HDEL', KEY.receipts, receipt) end
local after = string.gsub(arg.id, '%d+$', function(sequence) return string.format('%.0f', tonumber(sequence) + 1) end)
redis.call('XTRIM', KEY.audit_log, 'MINID', after)
redis.call('XTRIM', KEY.audit_macs, 'MINID', after)
redis.call('XTRIM', KEY.audit_batches, 'MINID', after)
-- Without a batch the chain begins at its base, which may lie behind what was compacted.
if #redis.call('XRANGE', KEY.audit_batches, '-', '+', 'COUNT', 1) == 0 then
  redis.call('HDEL', KEY.audit_chain, 'compacted_number', 'compacted_id', 'compacted_mac')
end
redis.call('HSET', KEY.audit_chain, 'base_checkpoint', arg.checkpoint, 'base_number', arg.number, 'base_id', arg.id,
  'base_mac', arg.mac)
return {'ok'}
