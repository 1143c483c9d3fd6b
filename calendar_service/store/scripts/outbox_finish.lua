#!lua flags=allow-oom
-- The delivery of a webhook event ended.
-- keys: slot
-- args: event outcome pause
--   event: the event as it is kept (JSON)
--   outcome: 'delivered', 'later' or 'given_up'
--   pause: the next delivery of this agent is due after so many ms
-- answers: ok | gone
--   ok: noted
--   gone: the event was kept as long as any may be, or erased
-- use: clock facts timers holds
local at = redis.call('ZSCORE', KEY.letters, arg.event)
if not at then return {'gone'} end
if arg.outcome == 'delivered' then
  redis.call('ZREM', KEY.letters, arg.event)
  redis.call('HDEL', KEY.facts, 'letters_trouble')
elseif arg.outcome == 'given_up' then
  -- Events are given up in their order: this mark tells them from those that still wait.
  put('letters_given_up', ms(at))
elseif instant('letters_trouble') == 0 then
  put('letters_trouble', ms(now))
end
set_timer(TIMER.webhook, now + tonumber(arg.pause))
guard_expiry()
update_agent_timer()
return {'ok'}
