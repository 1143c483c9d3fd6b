#!lua flags=allow-oom
-- Google refused for the project's rate: the rate is halved. The refusals of one burst count once.
-- keys: throttle
-- args: none
-- answers: ok | halved
--   ok: another refusal of this burst halved it
--   halved: done
-- use: clock throttle
if plausible(number('halved_at') + LIFETIME.refusal_burst, LIFETIME.refusal_burst) > now then return {'ok'} end
write('level', ms(math.max(62, math.floor(level() / 2))), 'halved_at', ms(now))
return {'halved'}
