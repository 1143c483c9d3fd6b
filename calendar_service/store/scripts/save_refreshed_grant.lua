#!lua
-- Keep a fresh access token, unless a newer grant stands.
-- keys: slot
-- args: connection_id token_number grant probe_due
--   connection_id: the connection whose token was refreshed
--   token_number: the number of the token that it was made from
--   grant: the sealed grant with the fresh token
--   probe_due: the instant (ms) of the next proof of life
-- answers: ok | newer | gone
--   ok: kept
--   newer: a newer grant stands
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
