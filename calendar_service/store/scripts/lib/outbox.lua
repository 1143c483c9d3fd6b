-- use: clock facts timers
-- Queue a webhook event in the step that changed the state, without content: what it says is looked up when it is sent.
-- Each event's time is later than the one's before, also if the clock went back: they are sent in that order. Without a
-- backend that listens nothing is queued.
local function enqueue_event(kind, session_name)
  if arg.webhooks ~= '1' then return end
  local last = redis.call('ZRANGE', KEY.outbox, -1, -1, 'WITHSCORES')[2]
  local at = math.max(now, (tonumber(last) or 0) + 1)
  -- Nothing is queued, so a account_ref that says up to when events are given up was set while the clock was ahead.
  if not last then redis.call('HDEL', KEY.facts, 'webhooks_abandoned_until') end
  redis.call('ZADD', KEY.outbox, ms(at), cjson.encode({connection_id = fact('connection_id'), type = kind,
    session = session_name, sequence = redis.call('HINCRBY', KEY.facts, 'webhooks_sequence', 1)}))
  -- A delivery that is in flight or in back-off goes first and keeps its time.
  if plausible(due_at(TIMER.webhook), LIFETIME.webhook_pause_max) == 0 then set_timer(TIMER.webhook, now) end
  if due_at(TIMER.webhook_expiry) == 0 then set_timer(TIMER.webhook_expiry, at + LIFETIME.outbox_kept) end
end
