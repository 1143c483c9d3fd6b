-- use: clock facts timers
-- Queue a webhook event in the step that changed the state. It has no content: that is looked up when it is sent. Each
-- event's time is later than the last one's even if the clock went back, because events are sent in that order. Without a
-- backend that receives webhooks nothing is queued.
local function enqueue_event(kind, session_name)
  if arg.webhooks ~= '1' then return end
  local last = redis.call('ZRANGE', KEY.outbox, -1, -1, 'WITHSCORES')[2]
  local at = math.max(now, (tonumber(last) or 0) + 1)
  -- The outbox is empty, so an instant up to which its events are given up is stale: a clock that was ahead may have set it.
  if not last then redis.call('HDEL', KEY.facts, 'webhooks_abandoned_until') end
  redis.call('ZADD', KEY.outbox, ms(at), cjson.encode({connection_id = fact('connection_id'), type = kind,
    session = session_name, sequence = redis.call('HINCRBY', KEY.facts, 'webhooks_sequence', 1)}))
  -- A delivery that is in flight or in back-off goes first and keeps its time.
  if plausible(due_at(TIMER.webhook), LIFETIME.webhook_pause_max) == 0 then set_timer(TIMER.webhook, now) end
  if due_at(TIMER.webhook_expiry) == 0 then set_timer(TIMER.webhook_expiry, at + LIFETIME.outbox_kept) end
end
