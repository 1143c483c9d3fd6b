#!lua flags=allow-oom
-- No letter is kept longer than its time, delivered or not.
redis.call('ZREMRANGEBYSCORE', L, '-inf', ms(now - LETTERS_KEPT))
local oldest = redis.call('ZRANGE', L, 0, 0, 'WITHSCORES')[2]
wake_at('letters', oldest and tonumber(oldest) + LETTERS_KEPT or nil)
retime()
return {'ok'}
