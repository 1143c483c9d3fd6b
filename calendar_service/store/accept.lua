#!lua
-- Accept the desired state of one session, and take its lease if it is free: one durable step (laws 2, 4).
-- A: connection, session, record as loaded, record wanted, sealed content ('' = none), lease length, take it? (else the
-- worker does it), longest wait for a person (ms), its end ('' = none), 'keep' (only note it) or 'drop' (note it, and let
-- the waiting content go)
local id, name, loaded, wanted, content = A[1], A[2], A[3], A[4], A[5]
if fact('connection_id') ~= id or fact('grant') ~= 'live' then return {'gone'} end
local current = redis.call('HGET', S, name) or ''
if current ~= loaded then return {'again'} end
local record = cjson.decode(wanted)
local due = tonumber(redis.call('ZSCORE', D, 'session:' .. name) or '0')
local before = current ~= '' and cjson.decode(current)
-- A lease that ends later than any could was taken while a clock was ahead that has been put right since.
local held = before and before.leased and due > now and due <= now + tonumber(A[6]) or false
local answer = 'leased'
if A[10] ~= '' then
  answer = 'noted'
  if A[10] == 'drop' then wake_at('session:' .. name, nil) end
elseif record.status == 'waiting' then
  record.leased, answer = held, 'waiting'
elseif held then
  -- Somebody is at Google with the older state: the settling of that attempt sees the newer revision.
  record.leased, answer = true, 'queued'
elseif A[7] == '0' then
  answer = 'queued'
  wake_at('session:' .. name, now)
else
  record.leased, record.fence = true, record.fence + 1
  wake_at('session:' .. name, now + tonumber(A[6]))
end
put_session(name, record)
if answer == 'waiting' and not held then look_again(name, record, tonumber(A[8]), tonumber(A[9])) end
if record.status == 'cancelled' and not (before and before.status == 'cancelled') then notify('session.applied', name) end
if content ~= '' then redis.call('HSET', W, name, content)
elseif A[10] ~= 'keep' then redis.call('HDEL', W, name) end
if not redis.call('ZSCORE', D, 'tidy') then wake_at('tidy', now + DAY) end
guard_expiry()
retime()
journal({revision = record.revision})
return {answer, record.fence}
