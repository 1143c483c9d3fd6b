#!lua flags=allow-oom
-- An attempt is over. Whoever lost the lease changes nothing (fence, law 4).
-- A: connection, session, fence, record as it shall be, looked at again after (ms; '' = never), at the latest at ('' = no
-- such end), destroy the content?
local name, fence, text, after, latest, destroy = A[2], tonumber(A[3]), A[4], A[5], A[6], A[7] == '1'
local current = session(name)
if not current then return {'gone'} end
if fact('connection_id') ~= A[1] or current.fence ~= fence then return {'lost'} end
local record = cjson.decode(text)
if current.revision == record.revision then
  record.leased = false
  record.version = current.version  -- a repetition may have been noted under a newer one meanwhile
  put_session(name, record)
  if record.status ~= current.status then
    if record.status == 'failed' then notify('session.failed', name) end
    if record.status == 'scheduled' or record.status == 'cancelled' then notify('session.applied', name) end
  end
  look_again(name, record, tonumber(after), tonumber(latest))
  if destroy then redis.call('HDEL', W, name) end
else
  -- A newer state was accepted meanwhile: keep what was wanted, learn what Google has.
  for _, field in ipairs({'event_id', 'generation', 'etag', 'settled', 'sent', 'placed', 'base', 'calendar_number',
    'noticed'}) do
    current[field] = record[field]
  end
  current.leased = false
  put_session(name, current)
  wake_at('session:' .. name, now)
end
retime()
journal({status = record.status, revision = record.revision})
return {'ok'}
