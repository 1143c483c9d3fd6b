#!lua flags=allow-oom
-- The closing errand made a step, or ended. A: connection, errand as it shall be ('' = ended), outcome, next due
local id, text, outcome = A[1], A[2], A[3]
if redis.call('HEXISTS', E, id) == 0 then return {'gone'} end
if text == '' then
  redis.call('HDEL', E, id)
  wake_at('errand:' .. id, nil)
  -- Facts of a later connection, or of none, stay untouched.
  if fact('connection_id') == id then put('revocation', outcome, 'revocation_at', ms(now)) end
else
  redis.call('HSET', E, id, text)
  wake_at('errand:' .. id, now + tonumber(A[4]))
end
redis.call('PEXPIREAT', E, ms(now + 8 * DAY - offset))
if A[5] == '1' and fact('connection_id') == id then put('deletion_refused', '1') end
retime()
journal({outcome = outcome})
return {'ok'}
