#!lua flags=allow-oom
-- End the connection: from here on only the teardown holds the sealed token (law 6). Nothing is decrypted, so a disconnect
-- does not fail on a record that cannot be opened. A consent that is under way ends too.
-- keys: slot
-- args: delete_calendar erase_after teardown_lease
--   delete_calendar: '1' = the agent asked for the calendar to be deleted
--   erase_after: the operator's retention (ms)
--   teardown_lease: for how long (ms) workers leave the teardown to the caller
-- answers: ok | already | not_connected
--   ok: it ended now; with the connection's id
--   already: it had ended before
--   not_connected: there is no connection
-- use: clock facts audit timers holds outbox channels teardown sessions
redis.call('HDEL', KEY.facts, 'consent_pending_state')
local grant = fact('grant_state')
if grant == '' then return {'not_connected'} end
if grant ~= 'live' then return {'already'} end
local id, sealed = fact('connection_id'), redis.call('GET', KEY.grant) or ''
local delete = arg.delete_calendar == '1'
start_teardown(id, {grant = sealed, account_ref = fact('account_ref'), delete_calendar = delete,
  calendar_id = delete and fact('calendar_id') or '', channels = close_channel()}, now + tonumber(arg.teardown_lease))
redis.call('DEL', KEY.grant)
put('grant_state', 'released', 'grant_since', ms(now), 'end_erase_due', ms(now + retention(tonumber(arg.erase_after))),
  'end_revocation', 'pending', 'end_revocation_at', ms(now), 'pause_by_agent', '0', 'pause_by_organization', '0',
  'calendar_deletion', delete and 'requested' or '')
keep_admin_action()
enqueue_event('connection.disconnected')
local failed = fail_unsettled('disconnected')
set_timer(TIMER.probe, nil)
set_timer(TIMER.calendar, nil)
set_timer(TIMER.erase, instant('end_erase_due'))
guard_expiry()
update_agent_timer()
append_entry({failed = failed, erase_due = ms(instant('end_erase_due'))})
return {'ok', id}
