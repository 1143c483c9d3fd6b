#!lua flags=allow-oom
-- The delivery of a webhook event ended: record the outcome, and set when the agent's next delivery is due.
-- keys: slot
-- args: event outcome pause
--   event: the event as it stands in the outbox (JSON)
--   outcome: 'delivered', 'later' or 'given_up'
--   pause: the next delivery of this agent is due after so many ms
-- answers: ok | gone
--   ok: recorded
--   gone: the event expired after 7 days, or was erased
-- use: clock facts timers holds
local at = redis.call('ZSCORE', KEY.outbox, arg.event)
if not at then return {'gone'} end
if arg.outcome == 'delivered' then
  redis.call('ZREM', KEY.outbox, arg.event)
  redis.call('HDEL', KEY.facts, 'webhooks_failing_since')
elseif arg.outcome == 'given_up' then
  -- Events are given up in their order, so this one instant separates them from those that still wait.
  put('webhooks_abandoned_until', ms(at))
elseif instant('webhooks_failing_since') == 0 then
  put('webhooks_failing_since', ms(now))
end
set_timer(TIMER.webhook, now + tonumber(arg.pause))
guard_expiry()
update_agent_timer()
return {'ok'}
