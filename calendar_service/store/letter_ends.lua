#!lua flags=allow-oom
-- No letter is kept longer than its time, delivered or not. A clock that jumped ends none (as with erasures, law 7).
-- A: this process's clock, tolerated difference of clocks (ms)
if math.abs(now - tonumber(A[1])) > tonumber(A[2]) then
  wake_at('letters', now + 600000)
  retime()
  return {'clock'}
end
redis.call('ZREMRANGEBYSCORE', L, '-inf', ms(now - LETTERS_KEPT))
local oldest = redis.call('ZRANGE', L, 0, 0, 'WITHSCORES')[2]
wake_at('letters', oldest and tonumber(oldest) + LETTERS_KEPT or nil)
retime()
return {'ok'}
