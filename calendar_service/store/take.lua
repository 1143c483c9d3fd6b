#!lua
-- The worker takes a session whose time has come; answers the record and the database's time. A: session, lease length
local name, length = A[1], tonumber(A[2])
local record = session(name)
if not record then wake_at('session:' .. name, nil) retime() return {'gone'} end
local due = tonumber(redis.call('ZSCORE', D, 'session:' .. name) or '0')
if due == 0 or due > now then return {'early'} end
-- Its former holder never said how it ended: he may have been at Google.
record.sent = record.sent or record.leased
record.leased, record.fence = true, record.fence + 1
put_session(name, record)
wake_at('session:' .. name, now + length)
retime()
return {'ok', cjson.encode(record), ms(now)}
