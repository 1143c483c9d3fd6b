#!lua
-- A: which pause (agent or organisation), on or off. Each lifts only its own.
if fact('grant') ~= 'live' then return {'not_connected'} end
local name, on = A[1], A[2] == '1'
if (instant(name) > 0) == on then return {'unchanged'} end
local function paused() return instant('paused_by_agent') > 0 or instant('paused_by_organization') > 0 end
local before = paused()
put(name, on and ms(now) or '0')
tell_agent()
-- A second pause beside another changes nothing for the backend; neither does lifting one of two.
if paused() ~= before then notify(on and 'connection.paused' or 'connection.resumed') end
if not on then wake_unsettled() end
if not on and instant('calendar_since') > 0 then watch_calendar(0) end
retime()
journal()
return {'ok'}
