#!lua flags=allow-oom
-- Google accepts again what it refused to all replicas.
-- keys: throttle
-- args: refused
--   refused: 'credentials' or 'notifications'
-- answers: ok | cleared
--   ok: it was not refused
--   cleared: it was refused until now
-- use: throttle
local refused_at = number(arg.refused .. '_refused_at')
redis.call('HDEL', KEY.throttle, arg.refused .. '_refused_at', arg.refused .. '_next_trial')
return {refused_at > 0 and 'cleared' or 'ok'}
