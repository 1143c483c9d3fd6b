#!lua flags=allow-oom
-- Google proved that the grant is dead. A: connection, number of the token that was tried, erase after (ms), hour
local grant = redis.call('GET', G)
if fact('connection_id') ~= A[1] or fact('grant') ~= 'live' then return {'gone'} end
-- Re-checked against the newest stored token: an older one proves nothing (law 5).
if not grant or ms(cjson.decode(grant).number) ~= A[2] then return {'newer'} end
local term = erase_term(tonumber(A[3]))
local due = math.max(math.min(instant('proof_at'), now) + term, now + math.min(tonumber(A[4]), term))
redis.call('DEL', G)
close_channel()  -- it cannot be stopped any more, and ends by itself
-- Nothing is left to revoke; the errand only takes the connection off its account's mark.
if fact('account_mark') ~= '' then
  leave_errand(A[1], {grant = '', mark = fact('account_mark'), delete_calendar = false, calendar_id = '', channels = {}}, now)
end
put('grant', 'dead', 'grant_since', ms(now), 'erase_due', ms(due), 'revocation', 'at_google', 'revocation_at', ms(now))
notify('connection.revoked')
local failed = fail_unsettled('revoked')
wake_at('probe', nil)
wake_at('calendar', nil)
wake_at('erase', due)
guard_expiry()
retime()
journal({failed = failed, erase_due = ms(due)})
return {'ok'}
