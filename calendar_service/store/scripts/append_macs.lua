#!lua
-- Store the MACs of audit entries behind the head that the sealer read. A second sealer with the same head changes nothing.
-- keys: audit_log audit_macs audit_chain
-- args: number id mac seal entries...
--   number: the number of the head as it was read
--   id: the entry's id of the head as it was read
--   mac: the MAC of the head as it was read
--   seal: the seal of the new head
--   entries: id, number and MAC of each entry, one after another
-- answers: ok | moved | broken
--   ok: stored
--   moved: the head is another one by now: another sealer was faster; or an entry is not here, because it was read at a
--     former primary that never acknowledged it
--   broken: the stored MACs do not end at this head: somebody changed the head or the stream
local head = redis.call('HMGET', KEY.audit_chain, 'number', 'id', 'mac')
if (head[1] or '0') ~= arg.number or (head[2] or '0-0') ~= arg.id or (head[3] or '') ~= arg.mac then return {'moved'} end
local last = redis.call('XREVRANGE', KEY.audit_macs, '+', '-', 'COUNT', 1)[1]
local chain = redis.call('HMGET', KEY.audit_chain, 'compacted_id', 'base_id')
if (last and last[1] or chain[1] or chain[2] or '0-0') ~= arg.id then return {'broken'} end
local entries = arg.entries
for i = 1, #entries, 3 do
  if #redis.call('XRANGE', KEY.audit_log, entries[i], entries[i]) == 0 then return {'moved'} end
end
for i = 1, #entries, 3 do
  redis.call('XADD', KEY.audit_macs, entries[i], 'number', entries[i + 1], 'mac', entries[i + 2])
end
redis.call('HSET', KEY.audit_chain, 'number', entries[#entries - 1], 'id', entries[#entries - 2], 'mac', entries[#entries],
  'seal', arg.seal)
return {'ok'}
