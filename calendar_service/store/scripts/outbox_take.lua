#!lua flags=allow-oom
-- Take the oldest webhook event that was not given up, for one sender at a time: the next goes when this one has gone.
-- Works without memory, because what is delivered frees some.
-- keys: slot
-- args: none
-- answers: ok | early | none
--   ok: with the event (JSON), its instant, since when deliveries fail (0 = they do not), and the database's time (ms)
--   early: no delivery is due, or another sender has it
--   none: no event waits
-- use: clock facts timers
local due = due_at(TIMER.webhook)
if due == 0 or due > now then return {'early'} end
local alive = '(' .. ms(instant('webhooks_abandoned_until'))
local first = redis.call('ZRANGE', KEY.outbox, alive, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
if not first[1] then
  set_timer(TIMER.webhook, nil)
  redis.call('HDEL', KEY.facts, 'webhooks_failing_since')
  update_agent_timer()
  return {'none'}
end
set_timer(TIMER.webhook, now + LIFETIME.outbox_lease)
update_agent_timer()
return {'ok', first[1], first[2], ms(instant('webhooks_failing_since')), ms(now)}
