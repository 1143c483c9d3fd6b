#!lua
-- A consent begins: only the newest may complete, and a disconnect in between ends it.
local digest, lifetime = A[1], tonumber(A[2])
local fresh = redis.call('EXISTS', F) == 0
put('connecting', digest)
if fresh then redis.call('PEXPIRE', F, lifetime) end
journal()
return {'ok'}
