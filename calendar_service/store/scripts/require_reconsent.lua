#!lua
-- The agent has to be asked again: Google said that the permission does not suffice, or the policy in force is newer than
-- the one consented.
-- keys: slot
-- args: connection_id outdated_policy token_number
--   connection_id: the connection concerned
--   outdated_policy: the policy's version of the consent that is outdated; '' = Google said so
--   token_number: the number of the token that did not suffice; '' = the policy is the reason
-- answers: ok | newer | gone
--   ok: noted, and told to the backend
--   newer: a newer token stands, so the older one proves nothing
--   gone: the connection ended, the consent was renewed, or it was noted before
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
