#!lua
-- Record that the agent has to consent again: Google refused the token for its scope, or the policy in force is newer than
-- the one consented.
-- keys: slot
-- args: connection_id outdated_policy token_number
--   connection_id: the connection concerned
--   outdated_policy: the policy version of the outdated consent; '' = Google refused the token
--   token_number: the number of the refused token (`Grant.number`); '' = the policy is the reason
-- answers: ok | newer | gone
--   ok: recorded, and a webhook event queued
--   newer: a newer token stands, so the older one proves nothing
--   gone: the connection ended, the consent was renewed, or it was recorded before
-- use: clock facts audit timers outbox
if not is_live(arg.connection_id) or instant('consent_required_since') > 0 then return {'gone'} end
if arg.outdated_policy ~= '' and fact('consent_policy') ~= arg.outdated_policy then return {'gone'} end
local grant = redis.call('GET', KEY.grant)
-- An older token proves nothing about the consent that stands now (law 5).
if arg.outdated_policy == '' and (not grant or ms(cjson.decode(grant).number) ~= arg.token_number) then
  return {'newer'}
end
put('consent_required_since', ms(now))
enqueue_event('connection.reconsent_required')
update_agent_timer()
append_entry()
return {'ok'}
