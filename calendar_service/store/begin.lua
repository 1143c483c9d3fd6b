#!lua
-- A consent begins: only the newest may complete, and a disconnect in between ends it.
local digest, lifetime = A[1], tonumber(A[2])
put('connecting', digest)
-- Where no connection ever stood, the consent is all there is, and goes with its state.
if fact('grant') == '' then redis.call('PEXPIRE', F, lifetime) end
journal()
return {'ok'}
