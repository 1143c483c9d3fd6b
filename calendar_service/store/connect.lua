#!lua
-- A consent was exchanged: the connection stands from here on.
-- A: state digest, expected connection, new connection, sealed grant, renewal?, account mark, facts (JSON), probe due
local digest, expected, id, grant, renewal, mark = A[1], A[2], A[3], A[4], A[5] == '1', A[6]
if digest == '' or fact('connecting') ~= digest then return {'superseded'} end
if fact('connection_id') ~= expected then return {'again'} end
local before, old_mark = fact('grant'), fact('account_mark')
if renewal and before ~= 'live' then return {'again'} end
local same = before == '' or (mark ~= '' and mark == old_mark)

if before == 'live' and not renewal then
  -- The former grant may be of another account: its errand finds out whether it is the last there (law 6).
  local old = redis.call('GET', G)
  if old then
    leave_errand(expected, {grant = old, mark = old_mark, delete_calendar = false, calendar_id = '',
      channels = close_channel()}, now)
  end
  notify('connection.disconnected')
  journal({kind = 'connection.disconnected', failed = fail_unsettled('reconnected')})
end
put('moved_account', '0')
if mark == '' then
  -- Google did not say whose account it is: the calendar step decides, and nothing is used before.
  put('former_mark', old_mark, 'calendar_since', '0')
elseif not same then
  leave_account()
end
redis.call('SET', G, grant)
local facts = cjson.decode(A[7])
for name, value in pairs(facts) do put(name, value) end
put('connection_id', id, 'grant', 'live', 'account_mark', mark, 'proof_at', ms(now), 'erase_due', '0',
  'consent_needed', '0', 'revocation', '', 'revocation_at', '0', 'calendar_fate', '')
if not renewal then put('grant_since', ms(now), 'connected_at', ms(now), 'others_act', '') end
if id ~= expected then
  put('sequence', '0')
  each_session(function(record) record.digest = '' return true end)  -- made with the former connection's key
end
redis.call('HDEL', F, 'connecting')
redis.call('SADD', X, member)
wake_at('erase', nil)
wake_at('probe', tonumber(A[8]))
if instant('calendar_since') == 0 then wake_at('calendar', now + 60000)
elseif not renewal then watch_calendar(60000) end
if instant('calendar_since') > 0 then keep_calendar(fact('calendar_id')) end
wake_unsettled()
guard_expiry()
-- Without a calendar it is not usable yet: the calendar's own step tells.
if instant('calendar_since') > 0 then notify('connection.connected') end
retime()
journal({same_account = same, renewal = renewal, policy = facts.consent_policy})
return {'ok'}
