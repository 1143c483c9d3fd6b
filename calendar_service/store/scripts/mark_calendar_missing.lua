#!lua
-- The calendar is no longer in the account. The backend is notified once, and nothing is sent to Google until the agent asks
-- for another calendar.
-- keys: slot
-- args: connection_id calendar
--   connection_id: the connection that was used
--   calendar: Google's id of the calendar that is missing
-- answers: ok | newer | gone
--   ok: recorded, and a webhook event queued
--   newer: another calendar stands by now
--   gone: the connection ended, or it is recorded already
-- use: clock facts audit timers outbox channels sessions
if not is_live(arg.connection_id) or instant('calendar_since') == 0 then return {'gone'} end
-- A late answer about the calendar before this one proves nothing about this one.
if fact('calendar_id') ~= arg.calendar then return {'newer'} end
put('calendar_since', '0', 'calendar_lost_at', ms(now))
put_channels_to_stop(close_channel())
set_timer(TIMER.channel, now)
enqueue_event('connection.calendar_missing')
lose_scheduled('calendar_missing')
update_agent_timer()
append_entry()
return {'ok'}
