-- use: clock facts timers outbox waiting
local function session(name)
  local text = redis.call('HGET', KEY.sessions, name)
  return text and cjson.decode(text)
end

-- Return since when a status holds, as a record has it; `nil` where it does not hold yet. It keeps the instant at which it
-- began, however often the record is written; one in the future was set while the clock was ahead, so it begins now.
local function begun(since)
  local at = plausible(since or 0, 0)
  return at > 0 and at or now
end

-- Write a session's record. The sessions are listed by the day of their end.
local function put_session(name, record)
  record.waiting_since = record.status == 'waiting' and begun(record.waiting_since) or 0
  record.pending_since = record.status == 'pending' and begun(record.pending_since) or 0
  redis.call('HSET', KEY.sessions, name, cjson.encode(record))
  redis.call('ZADD', KEY.days, record.end_day, name)
end

-- Tell whether a person has to act first, by the facts alone: an outdated consent counts once it is recorded there.
local function waits_for_person()
  return instant('pause_by_agent') > 0 or instant('pause_by_organization') > 0 or instant('consent_required_since') > 0
    or instant('calendar_since') == 0
end

-- Tell whether the session is settled, and Google may have an event of it that its holder did not find: of a write that was
-- still under way. It can be looked for only while the connection is live.
local function is_to_be_looked_up(record)
  local settled = record.status == 'scheduled' or record.status == 'cancelled'
  return settled and record.copy.in_doubt and fact('grant_state') == 'live'
end

-- The worker takes the session again `after` ms from now, for one that waits for a person from the beginning of the wait,
-- and at `latest` (an instant) in any case; `after` = nil: not at all, unless it has to be looked up once more. If the person
-- has acted while the caller decided that the session waits, it is due at once. It is due a second from now at the earliest,
-- or a process with a slow clock would loop.
local function set_retry(name, record, after, latest)
  if not after and is_to_be_looked_up(record) then after = LIFETIME.late_write end
  if not after then return set_timer(session_timer(name), nil) end
  local waiting = record.status == 'waiting'
  local at = (waiting and record.waiting_since or now) + after
  if waiting and not waits_for_person() then at = now end
  set_timer(session_timer(name), math.max(now + LIFETIME.retry_earliest, math.min(at, latest or math.huge)))
end

-- A holder that lost the lease may have written at Google after its successor had looked there. A successor that has the
-- lease now hears of it when it settles.
local function note_late_write(name, record)
  record.copy.in_doubt = true
  put_session(name, record)
  if not record.leased and is_to_be_looked_up(record) then set_retry(name, record) end
end

-- Call `change(record, name)` for every session, and write those for which it returns true.
local function each_session(change)
  local all = redis.call('HGETALL', KEY.sessions)
  for i = 1, #all, 2 do
    local record = cjson.decode(all[i + 1])
    if change(record, all[i]) then put_session(all[i], record) end
  end
end

-- A person acted, or Google serves the connection again: every unsettled session is due now. A leased one keeps its timer, which ends the lease: its holder's
-- settlement sees that nothing waits any more.
local function wake_unsettled()
  each_session(function(record, name)
    local unsettled = record.status == 'pending' or record.status == 'waiting'
    if unsettled and not record.leased then set_timer(session_timer(name), now) end
  end)
end

-- Sessions that were accepted and not applied fail, are reported, and lose their content at once. Return how many.
local function fail_unsettled(reason)
  local failed = 0
  each_session(function(record, name)
    set_timer(session_timer(name), nil)
    if record.status ~= 'pending' and record.status ~= 'waiting' then return false end
    -- The lease's holder may be writing at Google, and the raised fencing token refuses what it settles: in doubt.
    record.copy.in_doubt = record.copy.in_doubt or record.leased
    record.status, record.reason, record.leased, record.digest = 'failed', reason, false, ''
    record.fencing_token, record.holder = record.fencing_token + 1, ''
    failed = failed + 1
    enqueue_event('session.failed', name)
    return true
  end)
  drop_all_content()
  return failed
end

-- The calendar is gone or replaced: its sessions are lost until the backend puts them again.
local function lose_scheduled(reason)
  each_session(function(record, name)
    if record.status ~= 'scheduled' then return false end
    record.status, record.reason, record.digest = 'lost', reason, ''
    enqueue_event('session.lost', name)
    return true
  end)
end
