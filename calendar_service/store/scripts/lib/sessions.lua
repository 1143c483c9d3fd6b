-- use: clock facts timers outbox
local function session(name)
  local text = redis.call('HGET', KEY.sessions, name)
  return text and cjson.decode(text)
end

-- Write a session's record. A wait for a person's act counts from its first moment, whatever is read meanwhile; a moment of
-- a time to come was set while the clock was ahead.
local function put_session(name, record)
  if record.status ~= 'waiting' then
    record.waiting_since = 0
  else
    record.waiting_since = plausible(record.waiting_since or 0, 0)
    if record.waiting_since == 0 then record.waiting_since = now end
  end
  redis.call('HSET', KEY.sessions, name, cjson.encode(record))
end

-- Tell whether a person has to act first, as far as the facts say; an outdated consent counts once it is noted there.
local function waits_for_person()
  return instant('pause_by_agent') > 0 or instant('pause_by_organization') > 0 or instant('consent_required_since') > 0
    or instant('calendar_since') == 0
end

-- The worker takes the session again `after` ms from now, or from the moment its wait for a person began, and at `latest`
-- (an instant) in any case; nil = not at all. If the person acted while the caller decided to wait, it is due at once. It is
-- due a second from now at the earliest: a process whose clock is behind would come to the same end in a loop.
local function set_retry(name, record, after, latest)
  if not after then return set_timer(session_timer(name), nil) end
  local waiting = record.status == 'waiting'
  local at = (waiting and record.waiting_since or now) + after
  if waiting and not waits_for_person() then at = now end
  set_timer(session_timer(name), math.max(now + LIFETIME.retry_earliest, math.min(at, latest or math.huge)))
end

-- Call `change(record, name)` for every session, and write those for which it returns true.
local function each_session(change)
  local all = redis.call('HGETALL', KEY.sessions)
  for i = 1, #all, 2 do
    local record = cjson.decode(all[i + 1])
    if change(record, all[i]) then put_session(all[i], record) end
  end
end

-- Somebody acted: every session that is not settled is due now. A session whose lease runs keeps its time: the holder
-- settles it by what stands here then.
local function wake_unsettled()
  each_session(function(record, name)
    local unsettled = record.status == 'pending' or record.status == 'waiting'
    if unsettled and not record.leased then set_timer(session_timer(name), now) end
  end)
end

-- What was accepted and not applied is reported failed, and its content destroyed at once. Return how many that were.
local function fail_unsettled(reason)
  local failed = 0
  each_session(function(record, name)
    set_timer(session_timer(name), nil)
    if record.status ~= 'pending' and record.status ~= 'waiting' then return false end
    -- A holder of the lease may be at Google with it, and can no longer say how that ended.
    record.copy.in_doubt = record.copy.in_doubt or record.leased
    record.status, record.reason, record.leased, record.digest = 'failed', reason, false, ''
    record.fencing_token = record.fencing_token + 1
    failed = failed + 1
    enqueue_event('session.failed', name)
    return true
  end)
  redis.call('DEL', KEY.waiting)
  return failed
end

-- The calendar is gone or replaced: its sessions are lost until they are wanted again.
local function lose_scheduled(reason)
  each_session(function(record, name)
    if record.status ~= 'scheduled' then return false end
    record.status, record.reason, record.digest = 'lost', reason, ''
    enqueue_event('session.lost', name)
    return true
  end)
end
