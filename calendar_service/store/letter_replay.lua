#!lua
-- Letters that were given up wait again, in their order, before all others.
local count = redis.call('ZCOUNT', L, '-inf', ms(instant('letters_given_up')))
if count == 0 then return {'ok', 0} end
redis.call('HDEL', F, 'letters_given_up', 'letters_trouble')
wake_at('webhook', now)
retime()
return {'ok', count}
