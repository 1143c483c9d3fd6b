#!lua
-- Store a refreshed grant, unless another one stands by now. Ends the refresh lease.
-- keys: slot
-- args: connection_id token_number grant probe_due
--   connection_id: the connection whose token was refreshed
--   token_number: the number of the token that was refreshed (`Grant.number`)
--   grant: the sealed grant with the fresh token
--   probe_due: the instant (ms, the process's clock) of the next proof of life
-- answers: ok | newer | gone
--   ok: stored
--   newer: another token stands, so this grant was made from an older one
--   gone: the connection ended
-- use: clock facts timers
local grant = redis.call('GET', KEY.grant)
if not grant or fact('connection_id') ~= arg.connection_id then return {'gone'} end
if ms(cjson.decode(grant).number) ~= arg.token_number then return {'newer'} end
redis.call('SET', KEY.grant, arg.grant)
put('grant_last_refresh_ok_at', ms(now))
redis.call('HINCRBY', KEY.audit_chain, 'proofs', 1) -- counted, not listed (LU-6)
redis.call('HDEL', KEY.facts, 'refresh_leased')
set_timer(TIMER.probe, tonumber(arg.probe_due))
update_agent_timer()
return {'ok'}
