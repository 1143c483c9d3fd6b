#!lua
-- A consent begins: only the newest may complete, and a disconnect before it completes removes it.
-- keys: slot
-- args: state
--   state: the hash of the OAuth state
-- answers: ok
--   ok: this consent is the one that may complete
-- use: facts audit
put('pending_consent', arg.state)
-- Without a connection, the slot holds nothing but this consent, and expires with its OAuth state.
if fact('grant') == '' then redis.call('PEXPIRE', KEY.facts, LIFETIME.oauth_state) end
append_entry()
return {'ok'}
