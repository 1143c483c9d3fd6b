#!lua
-- The calendar is no longer in the account: one notice, no further calls until the agent asks for another.
-- keys: slot
-- args: connection_id calendar
--   connection_id: the connection that was used
--   calendar: Google's id of the calendar that was asked for
-- answers: ok | newer | gone
--   ok: noted, and told to the backend
--   newer: another calendar stands by now
--   gone: the connection ended, or it is noted already
-- use: clock facts audit timers outbox channels sessions
if not is_live(arg.connection_id) or instant('calendar_since') == 0 then return {'gone'} end
-- A caller that asked for the calendar before this one, and learns of it only now, proves nothing about this one.
if fact('calendar_id') ~= arg.calendar then return {'newer'} end
put('calendar_since', '0', 'calendar_lost_at', ms(now))
put_channels_to_stop(close_channel())
set_timer(TIMER.channel, now)
enqueue_event('connection.calendar_missing')
lose_scheduled('calendar_missing')
update_agent_timer()
append_entry()
return {'ok'}
