#!lua flags=allow-oom
-- Google refuses something to all replicas: the client's credentials, or the address for notifications.
-- keys: throttle
-- args: refused pause
--   refused: 'credentials' or 'notifications'
--   pause: the ms between two trial requests
-- answers: ok | first
--   ok: it was refused before
--   first: this is the first refusal
-- use: clock throttle
if number(arg.refused .. '_refused_at') > 0 then return {'ok'} end
write(arg.refused .. '_refused_at', ms(now), arg.refused .. '_next_trial', ms(now + tonumber(arg.pause)))
return {'first'}
