#!lua
-- A fresh access token, unless a newer grant stands. A: connection, number it was made from, sealed grant, probe due
local grant = redis.call('GET', G)
if not grant or fact('connection_id') ~= A[1] then return {'gone'} end
if ms(cjson.decode(grant).number) ~= A[2] then return {'newer'} end
redis.call('SET', G, A[3])
put('proof_at', ms(now))
redis.call('HINCRBY', C, 'proofs', 1) -- counted, not listed (LU-6)
redis.call('HDEL', F, 'refresh_leased')
wake_at('probe', tonumber(A[4]))
retime()
return {'ok'}
