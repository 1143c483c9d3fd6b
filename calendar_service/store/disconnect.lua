#!lua flags=allow-oom
-- One step ends the connection; from here on only the closing errand can obtain the token (law 6).
-- Nothing is decrypted here, so a record that cannot be opened does not stand in the way.
-- A: delete the calendar?, erase after (ms), length of the lease on the errand
redis.call('HDEL', F, 'connecting')
local grant = fact('grant')
if grant ~= 'live' then return {grant == '' and 'not_connected' or 'already'} end
local id, sealed = fact('connection_id'), redis.call('GET', G) or ''
local delete = A[1] == '1'
leave_errand(id, {grant = sealed, mark = fact('account_mark'), delete_calendar = delete,
  calendar_id = delete and fact('calendar_id') or '', channels = close_channel()}, now + tonumber(A[3]))
redis.call('DEL', G)
put('grant', 'released', 'grant_since', ms(now), 'erase_due', ms(now + erase_term(tonumber(A[2]))), 'revocation', 'pending',
  'revocation_at', ms(now), 'paused_by_agent', '0', 'paused_by_organization', '0',
  'calendar_fate', delete and 'asked' or '')
tell_agent()
notify('connection.disconnected')
local failed = fail_unsettled('disconnected')
wake_at('probe', nil)
wake_at('calendar', nil)
wake_at('erase', instant('erase_due'))
guard_expiry()
retime()
journal({failed = failed, erase_due = ms(instant('erase_due'))})
return {'ok', id}
