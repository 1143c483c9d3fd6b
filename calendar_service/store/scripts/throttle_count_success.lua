#!lua flags=allow-oom
-- Google answers: the breaker closes.
-- keys: throttle
-- args: none
-- answers: ok | closed
--   ok: it was closed
--   closed: this call closed it
-- use: throttle
local opened_at = number('breaker_opened_at')
redis.call('HDEL', KEY.throttle, 'failures', 'breaker_opened_at', 'breaker_next_trial')
return {opened_at > 0 and 'closed' or 'ok'}
