#!lua
-- The dedicated calendar is there. A: connection, calendar id, adopted by its marker?, account mark
local id, calendar, adopted = A[1], A[2], A[3]
if fact('connection_id') ~= id or fact('grant') ~= 'live' then return {'gone'} end
local former = fact('former_mark')
if former ~= '' and former ~= A[4] then leave_account() end
local before, usable = fact('calendar_id'), instant('calendar_since') > 0
local replaced = before ~= '' and before ~= calendar
if replaced then keep_held_calendar() end
if replaced then notify('connection.calendar_replaced') elseif not usable then notify('connection.connected') end
if before ~= calendar then
  put('calendar_number', ms(instant('calendar_number') + 1))
  lose_scheduled('calendar_replaced')
  put_channels_left(close_channel())
end
put('calendar_id', calendar, 'calendar_since', ms(now), 'calendar_lost_at', '0', 'adopted', adopted,
  'account_mark', A[4])
redis.call('HDEL', F, 'time_zone', 'former_mark', 'calendar_leased')
keep_calendar(calendar)
wake_at('calendar', nil)
watch_calendar(before == calendar and 60000 or DAY)
wake_unsettled()
retime()
journal({replaced = replaced})
return {'ok'}
