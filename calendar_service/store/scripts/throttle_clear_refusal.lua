#!lua flags=allow-oom
-- Google takes again what it refused to all replicas.
-- keys: flow
-- args: what
--   what: 'rejected' or 'unheard'
-- answers: ok | taken
--   ok: it was not refused
--   taken: it was refused until now
-- use: throttle
local refused = number(arg.what)
redis.call('HDEL', KEY.flow, arg.what, arg.what .. '_canary')
return {refused > 0 and 'taken' or 'ok'}
