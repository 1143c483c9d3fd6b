#!lua flags=allow-oom
-- Google proved that the grant is dead: the connection ends as revoked, and its sealed token is destroyed.
-- keys: slot
-- args: connection_id token_number erase_after
--   connection_id: the connection whose token was tried
--   token_number: the number of that token (`Grant.number`)
--   erase_after: the operator's retention (ms), counted from the last proof that the grant was alive
-- answers: ok | newer | gone
--   ok: the connection ended as revoked
--   newer: a newer token stands, so the older one proves nothing
--   gone: the connection ended before
-- use: clock facts audit timers holds outbox channels teardown sessions
if not is_live(arg.connection_id) then return {'gone'} end
local grant = redis.call('GET', KEY.grant)
-- Re-checked against the newest stored token: an older one proves nothing (law 5).
if not grant or ms(cjson.decode(grant).number) ~= arg.token_number then return {'newer'} end
local kept_for = retention(tonumber(arg.erase_after))
-- A last proof in the future counts as now: the clock that wrote it was ahead.
local last_refresh_ok_at = math.min(instant('grant_last_refresh_ok_at'), now)
local due = math.max(last_refresh_ok_at + kept_for, now + math.min(LIFETIME.erasure_after_revocation, kept_for))
redis.call('DEL', KEY.grant)
close_channel()  -- without a token it cannot be stopped at Google; it expires there
-- Nothing is left to revoke; the teardown only removes the connection from its account's reference set.
if fact('account_ref') ~= '' then
  start_teardown(arg.connection_id,
    {grant = '', account_ref = fact('account_ref'), delete_calendar = false, calendar_id = '', channels = {}}, now)
end
put('grant_state', 'dead', 'grant_since', ms(now), 'end_erase_due', ms(due), 'end_revocation', 'at_google',
  'end_revocation_at', ms(now))
enqueue_event('connection.revoked')
local failed = fail_unsettled('revoked')
set_timer(TIMER.probe, nil)
set_timer(TIMER.calendar, nil)
set_timer(TIMER.erase, due)
guard_expiry()
update_agent_timer()
append_entry({failed = failed, erase_due = ms(due)})
return {'ok'}
