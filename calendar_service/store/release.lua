#!lua flags=allow-oom
-- Give a lease back, if it is still ours. A: name, fence
if fact(A[1] .. '_fence') == A[2] then redis.call('HDEL', F, A[1] .. '_leased') end
return {'ok'}
