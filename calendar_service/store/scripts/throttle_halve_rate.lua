#!lua flags=allow-oom
-- Google refused a call for its rate. The words name no cause: a limit of the account is more likely than the project's. If
-- several connections are refused within a minute, the rate is halved. The refusals of one burst count once.
-- keys: throttle
-- args: tolerated
--   tolerated: how many connections may be refused in a minute until the rate is halved
-- answers: ok | halved
--   ok: counted, or another refusal of this burst halved it
--   halved: done
-- use: clock throttle
local since = plausible(number('refused_since'), 0)
local refused = now - since < LIFETIME.minute and number('refused') + 1 or 1
write('refused', refused)
if refused == 1 then write('refused_since', ms(now)) end
if refused <= tonumber(arg.tolerated) then return {'ok'} end
if plausible(number('halved_at') + LIFETIME.refusal_burst, LIFETIME.refusal_burst) > now then return {'ok'} end
write('level', ms(math.max(62, math.floor(level() / 2))), 'halved_at', ms(now))
return {'halved'}
