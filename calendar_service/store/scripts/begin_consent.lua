#!lua
-- A consent begins: only the newest may complete, and a disconnect in between ends it.
-- keys: slot
-- args: state
--   state: the hash of the OAuth state
-- answers: ok
--   ok: this consent is the one that may complete
-- use: facts audit
put('consent_pending_state', arg.state)
-- Where no connection ever stood, the consent is all there is, and goes with its state.
if fact('grant_state') == '' then redis.call('PEXPIRE', KEY.facts, LIFETIME.oauth_state) end
append_entry()
return {'ok'}
