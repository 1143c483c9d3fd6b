#!lua flags=allow-oom
-- A call at Google got no answer: so many in a row open the breaker.
-- keys: throttle
-- args: tolerated pause
--   tolerated: how many in a row open it
--   pause: the ms between two trial requests while it is open
-- answers: ok | opened
--   ok: counted
--   opened: this one opened it
-- use: clock throttle
local failures = redis.call('HINCRBY', KEY.throttle, 'failures', 1)
if failures < tonumber(arg.tolerated) or number('breaker_opened_at') > 0 then return {'ok'} end
write('breaker_opened_at', ms(now), 'breaker_next_trial', ms(now + tonumber(arg.pause)))
return {'opened'}
