#!lua flags=allow-oom
-- Lease the agent's deliveries to one sender, with the oldest webhook event that was not given up. Events are sent one after
-- another, so their order holds. Works when the database is out of memory: a delivery frees some.
-- keys: slot
-- args: last_offer
--   last_offer: '1' = the connection is about to be erased: a back-off does not hold the event, nor another sender's lease.
--     The receiver may then get the event twice, and the other sender's copy late
-- answers: ok | early | none
--   ok: leased; with the event (JSON), its instant, since when deliveries fail (0 = they do not), and the database's time
--   early: no delivery is due, or another sender has it
--   none: no event waits
-- use: clock facts timers
local due = due_at(TIMER.webhook)
if arg.last_offer ~= '1' and (due == 0 or due > now) then return {'early'} end
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
