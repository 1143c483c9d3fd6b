#!lua
-- Google granted a consent: the connection stands from here on. A former connection ends in the same step; its grant goes to
-- a teardown.
-- keys: slot
-- args: state expected_connection_id connection_id grant reconsent account_ref facts probe_due
--   state: the hash of the OAuth state
--   expected_connection_id: the agent's connection as the caller read it; '' = none
--   connection_id: the id of the connection that stands now; for a reconsent the same
--   grant: the sealed grant
--   reconsent: '1' = the standing connection renews its consent
--   account_ref: the keyed hash of the Google account; '' = Google did not say whose it is
--   facts: facts to write (JSON object of texts)
--   probe_due: the instant (ms, the process's clock) of the first proof of life
-- answers: ok | superseded | again
--   ok: the connection stands
--   superseded: another consent began since, or a disconnect came
--   again: the connection is not the one that the caller read, so nothing is written
-- use: clock facts audit timers holds outbox channels teardown sessions accounts
local expected, id, account_ref, reconsent = arg.expected_connection_id, arg.connection_id, arg.account_ref, arg.reconsent == '1'
if arg.state == '' or fact('consent_pending_state') ~= arg.state then return {'superseded'} end
if fact('connection_id') ~= expected then return {'again'} end
local before, former_ref = fact('grant_state'), fact('account_ref')
if reconsent and before ~= 'live' then return {'again'} end
local same_account = before == '' or (account_ref ~= '' and account_ref == former_ref)

if before == 'live' and not reconsent then
  -- The former grant may be of another account: its teardown finds out whether it is the last of that account (law 6).
  local former_grant = redis.call('GET', KEY.grant)
  if former_grant then
    start_teardown(expected, {grant = former_grant, account_ref = former_ref, delete_calendar = false, calendar_id = '',
      channels = close_channel()}, now)
  end
  enqueue_event('connection.disconnected')
  append_entry({kind = 'connection.disconnected', failed = fail_unsettled('reconnected')})
end
put('account_moved', '0', 'account_former_connection', '', 'account_former_revocation', '')
if not same_account then
  -- Its teardown notes here what became of its permission, where that is not known yet.
  put('account_former_connection', expected,
    'account_former_revocation', before == 'live' and 'pending' or fact('end_revocation'))
end
if account_ref == '' then
  -- The account is unknown. `set_calendar` compares it with the former one, and nothing is used before that.
  put('account_former_ref', former_ref, 'calendar_since', '0')
elseif not same_account then
  leave_account()
end
redis.call('SET', KEY.grant, arg.grant)
local facts = cjson.decode(arg.facts)
for name, value in pairs(facts) do put(name, value) end
put('connection_id', id, 'grant_state', 'live', 'grant_last_refresh_ok_at', ms(now), 'account_ref', account_ref,
  'consent_required_since', '0', 'end_erase_due', '0', 'end_revocation', '', 'end_revocation_at', '0', 'calendar_deletion', '')
if not reconsent then put('grant_since', ms(now), 'grant_connected_at', ms(now), 'last_admin_action', '') end
if id ~= expected then
  put('webhooks_sequence', '0')
  each_session(function(record) record.digest = '' return true end)  -- keyed with the former connection's data key
end
redis.call('HDEL', KEY.facts, 'consent_pending_state', 'block_cause', 'block_since')
redis.call('SADD', KEY.index, arg.member)
set_timer(TIMER.erase, nil)
set_timer(TIMER.probe, tonumber(arg.probe_due))
if instant('calendar_since') == 0 then
  set_timer(TIMER.calendar, now + LIFETIME.calendar_made_by_worker)
elseif not reconsent then
  watch_calendar(LIFETIME.look_at_known_calendar)
end
if instant('calendar_since') > 0 then spare_calendar(fact('calendar_id')) end
wake_unsettled()
guard_expiry()
-- Without a calendar the connection is not usable yet: `set_calendar` queues this event.
if instant('calendar_since') > 0 then enqueue_event('connection.connected') end
update_agent_timer()
append_entry({same_account = same_account, reconsent = reconsent, policy = facts.consent_policy})
return {'ok'}
