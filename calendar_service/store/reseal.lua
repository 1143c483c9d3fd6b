#!lua
-- The same data key under the current key-encryption key, unless something newer stands.
-- A: the errand's connection ('' = the grant), sealed as it was read, sealed anew
if A[1] == '' then
  if redis.call('GET', G) ~= A[2] then return {'newer'} end
  redis.call('SET', G, A[3], 'KEEPTTL')
else
  local text = redis.call('HGET', E, A[1])
  local errand = text and cjson.decode(text)
  if not errand or errand.grant ~= A[2] then return {'newer'} end
  errand.grant = A[3]
  redis.call('HSET', E, A[1], cjson.encode(errand))
end
return {'ok'}
