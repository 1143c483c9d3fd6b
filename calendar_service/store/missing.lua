#!lua
-- The calendar is no longer in the account: one notice, no further calls until the agent asks for another.
-- A: connection, the calendar that was asked for
local id = A[1]
if fact('connection_id') ~= id or fact('grant') ~= 'live' or instant('calendar_since') == 0 then return {'gone'} end
-- Whoever asked for the one before, and hears of it only now, proves nothing about this one.
if fact('calendar_id') ~= A[2] then return {'newer'} end
put('calendar_since', '0', 'calendar_lost_at', ms(now))
put_channels_left(close_channel())
wake_at('channel', now)
notify('connection.calendar_missing')
lose_scheduled('calendar_missing')
retime()
journal()
return {'ok'}
