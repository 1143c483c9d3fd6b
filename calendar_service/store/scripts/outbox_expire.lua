#!lua flags=allow-oom
-- Drop the webhook events that are older than 7 days, given up or not.
-- keys: slot
-- args: process_now
--   process_now: the instant (ms) by the caller's clock
-- answers: ok | clock
--   ok: done
--   clock: the clocks of caller and database disagree, so none was dropped
-- use: clock timers
if not clocks_agree(arg.process_now) then
  set_timer(TIMER.webhook_expiry, now + LIFETIME.clock_retry)
  update_agent_timer()
  return {'clock'}
end
redis.call('ZREMRANGEBYSCORE', KEY.outbox, '-inf', ms(now - LIFETIME.outbox_kept))
local oldest = redis.call('ZRANGE', KEY.outbox, 0, 0, 'WITHSCORES')[2]
set_timer(TIMER.webhook_expiry, oldest and tonumber(oldest) + LIFETIME.outbox_kept or nil)
update_agent_timer()
return {'ok'}
