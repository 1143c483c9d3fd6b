#!lua
-- Set the connection's dedicated calendar: from here on the connection is usable.
-- keys: slot
-- args: connection_id calendar adopted account_ref
--   connection_id: the connection for which it was made or found
--   calendar: Google's id of the calendar
--   adopted: '1' = it was first found by its marker alone, so it may hold events that no record knows; '0' = it was made
--   account_ref: the keyed hash of the Google account
-- answers: ok | gone
--   ok: set
--   gone: the connection ended
-- use: clock facts audit timers holds outbox channels teardown sessions accounts
local calendar = arg.calendar
if not is_live(arg.connection_id) then return {'gone'} end
local former = fact('account_former_ref')
if former ~= '' and former ~= arg.account_ref then leave_account() end
if fact('account_moved') ~= '1' then redis.call('HDEL', KEY.facts, 'account_former_connection', 'account_former_revocation') end
local before, usable = fact('calendar_id'), instant('calendar_since') > 0
local replaced = before ~= '' and before ~= calendar
if replaced then keep_held_calendar() end
if replaced then
  enqueue_event('connection.calendar_replaced')
elseif not usable then
  enqueue_event('connection.connected')
end
if before ~= calendar then
  put('calendar_number', ms(instant('calendar_number') + 1))
  lose_scheduled('calendar_replaced')
  put_channels_to_stop(close_channel())
end
put('calendar_id', calendar, 'calendar_since', ms(now), 'calendar_lost_at', '0', 'calendar_adopted', arg.adopted,
  'account_ref', arg.account_ref)
redis.call('HDEL', KEY.facts, 'calendar_time_zone', 'account_former_ref', 'calendar_leased', 'block_cause', 'block_since')
spare_calendar(calendar)
set_timer(TIMER.calendar, nil)
watch_calendar(before == calendar and LIFETIME.look_at_known_calendar or LIFETIME.look_at_new_calendar)
wake_unsettled()
update_agent_timer()
append_entry({replaced = replaced})
return {'ok'}
