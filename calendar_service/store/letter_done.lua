#!lua flags=allow-oom
-- How the sending of a letter ended. A: letter, 'delivered', 'later' or 'given_up', pause before the next try (ms)
local letter, outcome = A[1], A[2]
local at = redis.call('ZSCORE', L, letter)
if not at then return {'gone'} end
if outcome == 'delivered' then
  redis.call('ZREM', L, letter)
  redis.call('HDEL', F, 'letters_trouble')
elseif outcome == 'given_up' then
  -- Letters are given up in their order: this mark tells them from those that still wait.
  put('letters_given_up', ms(at))
elseif instant('letters_trouble') == 0 then
  put('letters_trouble', ms(now))
end
wake_at('webhook', now + tonumber(A[3]))
guard_expiry()
retime()
return {'ok'}
