#!lua flags=allow-oom
-- Google takes again what it refused to all replicas.
-- keys: throttle
-- args: what
--   what: 'rejected' or 'unheard'
-- answers: ok | taken
--   ok: it was not refused
--   taken: it was refused until now
-- use: throttle
local refused = number(arg.what)
redis.call('HDEL', KEY.throttle, arg.what, arg.what .. '_trial')
return {refused > 0 and 'taken' or 'ok'}
