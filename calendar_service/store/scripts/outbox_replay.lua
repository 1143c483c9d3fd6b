#!lua
-- The webhook events that were given up wait again, in their order, before all others.
-- keys: slot
-- args: none
-- answers: ok
--   ok: done; with how many that are
-- use: clock facts timers
local count = redis.call('ZCOUNT', KEY.letters, '-inf', ms(instant('letters_given_up')))
if count == 0 then return {'ok', 0} end
redis.call('HDEL', KEY.facts, 'letters_given_up', 'letters_trouble')
set_timer(TIMER.webhook, now)
update_agent_timer()
return {'ok', count}
