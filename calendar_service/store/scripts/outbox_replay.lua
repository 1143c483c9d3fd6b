#!lua
-- Queue the webhook events again that were given up: in their order, before all others.
-- keys: slot
-- args: none
-- answers: ok
--   ok: done; with how many there are
-- use: clock facts timers
local count = redis.call('ZCOUNT', KEY.outbox, '-inf', ms(instant('webhooks_abandoned_until')))
if count == 0 then return {'ok', 0} end
redis.call('HDEL', KEY.facts, 'webhooks_abandoned_until', 'webhooks_failing_since')
set_timer(TIMER.webhook, now)
update_agent_timer()
return {'ok', count}
