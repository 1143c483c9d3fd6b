#!lua flags=allow-oom
-- Google answers: the breaker closes.
-- keys: throttle
-- args: none
-- answers: ok | closed
--   ok: it was closed
--   closed: this call closed it
-- use: throttle
local opened = number('opened')
redis.call('HDEL', KEY.throttle, 'failures', 'opened', 'trial_request')
return {opened > 0 and 'closed' or 'ok'}
