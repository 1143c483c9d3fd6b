#!lua flags=allow-oom
-- Google refuses something to all replicas: their credentials (`rejected`), or their address for notifications (`unheard`).
-- keys: throttle
-- args: what pause
--   what: 'rejected' or 'unheard'
--   pause: the ms between two trial requests
-- answers: ok | refused
--   ok: it was known
--   refused: this is the first time
-- use: clock throttle
local first = number(arg.what) == 0
if first then write(arg.what, ms(now), arg.what .. '_trial', ms(now + tonumber(arg.pause))) end
return {first and 'refused' or 'ok'}
