#!lua
-- A: which pause (agent or organisation), on or off. Each lifts only its own.
if fact('grant') ~= 'live' then return {'not_connected'} end
local name, on = A[1], A[2] == '1'
if (instant(name) > 0) == on then return {'unchanged'} end
put(name, on and ms(now) or '0')
if not on then wake_waiting() end
retime()
journal()
return {'ok'}
