#!lua flags=allow-oom
-- The oldest letter that was not given up, for one sender at a time: the next goes when this one has gone. Works without
-- memory, because what is delivered frees some. A: lease (ms)
local due = tonumber(redis.call('ZSCORE', D, 'webhook') or '0')
if due == 0 or due > now then return {'early'} end
local alive = '(' .. ms(instant('letters_given_up'))
local first = redis.call('ZRANGE', L, alive, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
if not first[1] then
  wake_at('webhook', nil)
  redis.call('HDEL', F, 'letters_trouble')
  retime()
  return {'none'}
end
wake_at('webhook', now + tonumber(A[1]))
retime()
return {'ok', first[1], first[2], ms(instant('letters_trouble')), ms(now)}
