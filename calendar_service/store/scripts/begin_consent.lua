#!lua
-- A consent begins: only the newest may complete, and a disconnect before it completes removes it.
-- keys: slot
-- args: state
--   state: the hash of the OAuth state
-- answers: ok
--   ok: this consent is the one that may complete
-- use: facts audit
put('consent_pending_state', arg.state)
-- Without a connection, the slot holds nothing but this consent, and expires with its OAuth state.
if fact('grant_state') == '' then redis.call('PEXPIRE', KEY.facts, LIFETIME.oauth_state) end
append_entry()
return {'ok'}
