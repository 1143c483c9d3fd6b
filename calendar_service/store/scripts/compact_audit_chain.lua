#!lua flags=allow-oom
-- Move sealed audit entries into one compressed batch, which lies under the id of its last entry.
-- keys: audit_log audit_macs audit_batches audit_chain
-- args: before_number before_id before_mac number id mac count entries
--   before_number: the number of the entry before the first one
--   before_id: that entry's id
--   before_mac: that entry's MAC
--   number: the number of the last entry
--   id: the last entry's id
--   mac: the last entry's MAC
--   count: how many entries there are
--   entries: the compressed entries
-- answers: ok | moved | broken
--   ok: compacted
--   moved: the batch does not begin where the chain's compacted part ends: another process compacted or removed entries
--   broken: the entries here are not those of the batch: somebody added or removed one since they were read
local chain = redis.call('HMGET', KEY.audit_chain, 'compacted_id', 'base_id')
if (chain[1] or chain[2] or '0-0') ~= arg.before_id then return {'moved'} end
local first = '(' .. arg.before_id
local sealed = redis.call('XRANGE', KEY.audit_macs, first, arg.id)
local count = tonumber(arg.count)
-- Removing also removes what lies between, so an entry that somebody inserted there must not go unseen.
if #sealed ~= count or #redis.call('XRANGE', KEY.audit_log, first, arg.id) ~= count
  or sealed[count][1] ~= arg.id then return {'broken'} end
redis.call('XADD', KEY.audit_batches, arg.id, 'before', arg.before_number, 'before_mac', arg.before_mac,
  'number', arg.number, 'mac', arg.mac, 'entries', arg.entries)
local after = string.gsub(arg.id, '%d+$', function(sequence) return string.format('%.0f', tonumber(sequence) + 1) end)
redis.call('XTRIM', KEY.audit_log, 'MINID', after)
redis.call('XTRIM', KEY.audit_macs, 'MINID', after)
redis.call('HSET', KEY.audit_chain, 'compacted_number', arg.number, 'compacted_id', arg.id, 'compacted_mac', arg.mac)
return {'ok'}
