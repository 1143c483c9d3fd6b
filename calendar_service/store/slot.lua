-- What every script of an agent's slot begins with. KEYS and the first ARGV are the same for all of them.
local F, G, S, W, D, E, L, T, X, J, R, Z, ZD, C, K = unpack(KEYS)
local offset, member, entry, listened = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4] == '1'
local A = {}
for i = 5, #ARGV do A[i - 4] = ARGV[i] end
local DAY = 86400000
local LETTERS_KEPT = 7 * DAY

-- The database's clock decides, moved by the test clock alone.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + offset

local function ms(value) return string.format('%.0f', value) end

local function fact(name) return redis.call('HGET', F, name) or '' end

local function instant(name) return tonumber(fact(name)) or 0 end

local function put(...) redis.call('HSET', F, ...) end

-- The term until the erasure: the operator's, or the shorter one that the agent chose.
local function erase_term(operators)
  local own = instant('own_term')
  return own > 0 and math.min(own, operators) or operators
end

-- Each step leaves its entry in the same step; `more` adds what only the script knows.
local connection = fact('connection_id')
local function journal(more)
  local fields = cjson.decode(entry)
  fields.connection = redis.call('HGET', F, 'connection_id') or connection
  for key, value in pairs(more or {}) do fields[key] = value end
  redis.call('XADD', J, '*', 'at', ms(now), 'entry', cjson.encode(fields))
end

-- Of what organisation or operator did, the last act is told to the agent.
local function tell_agent()
  local made = cjson.decode(entry)
  if made.actor == 'administrator' or made.actor == 'operator' then
    put('others_act', made.kind .. ' ' .. made.actor .. ' ' .. ms(now))
  end
end

local function wake_at(what, at)
  if at then redis.call('ZADD', D, ms(at), what) else redis.call('ZREM', D, what) end
end

-- The slot is gone: its agent's name leaves the index. Where nobody erased it, the database's own expiry did.
local function leave_index()
  if redis.call('SREM', X, member) == 1 then journal({kind = 'connection.expired', actor = 'service'}) end
end

-- The slot's one timer entry is its earliest due time. Where nothing is left but errands (an erasure, or the database's
-- own expiry, which also comes at once when its time has passed), the agent's name leaves the index too.
local function retime()
  if redis.call('EXISTS', F) == 0 then
    leave_index()
    if redis.call('EXISTS', D) == 0 then
      for _, id in ipairs(redis.call('HKEYS', E)) do redis.call('ZADD', D, ms(now), 'errand:' .. id) end
    end
  end
  local first = redis.call('ZRANGE', D, 0, 0, 'WITHSCORES')
  if first[1] then redis.call('ZADD', T, first[2], member) else redis.call('ZREM', T, member) end
end

-- A legal hold moves the erasure of identifiers to its end, and nothing else.
local function held() return instant('hold_until') > now end
local function erasable_at() return math.max(instant('erase_due'), instant('hold_until')) end

-- Under a hold, the identifier of a calendar that another one replaces is kept beside it.
local function keep_held_calendar()
  local id = fact('calendar_id')
  if id ~= '' and held() then put('held_calendars', fact('held_calendars') .. id .. ' ') end
end

-- The database's own expiry stands a day behind the erasure, for a deployment whose worker is gone (law 7).
-- Expiry follows the database's real clock, so the test clock's offset is taken off again.
local function guard_expiry()
  local due = instant('erase_due') > 0 and erasable_at() or 0
  for _, key in ipairs({F, G, S, W, D, L}) do
    if due > 0 then redis.call('PEXPIREAT', key, ms(due + DAY - offset)) else redis.call('PERSIST', key) end
  end
end

-- The backend is to hear of it: a letter is queued in the step that changed the state, without any content. What it
-- says is looked up when it is sent. Each is later than the one before, also where the clock went back: that is the
-- order in which they go. Without a backend that listens nothing is queued.
local function notify(kind, name)
  if not listened then return end
  local last = redis.call('ZRANGE', L, -1, -1, 'WITHSCORES')[2]
  local at = math.max(now, (tonumber(last) or 0) + 1)
  if not last then redis.call('HDEL', F, 'letters_given_up') end -- a mark of a clock since put right
  redis.call('ZADD', L, ms(at), cjson.encode({connection_id = fact('connection_id'), type = kind, session = name,
    sequence = redis.call('HINCRBY', F, 'sequence', 1)}))
  -- One that is being sent, or that is tried again later, goes first: its time stands, unless a clock set it.
  local due = tonumber(redis.call('ZSCORE', D, 'webhook') or '0')
  if due == 0 or due > now + DAY then wake_at('webhook', now) end
  if not redis.call('ZSCORE', D, 'letters') then wake_at('letters', at + LETTERS_KEPT) end
end

-- Google's channels: the one whose notifications count stands in the shard's index, those to be stopped in `channels_left`.
local function channels_left()
  local kept = fact('channels_left')
  return kept ~= '' and cjson.decode(kept) or {}
end

local function put_channels_left(channels)
  if next(channels) then put('channels_left', cjson.encode(channels)) else redis.call('HDEL', F, 'channels_left') end
end

-- From here on its notifications are nobody's. Returns what has to be stopped at Google, by the channel's id.
local function close_channel()
  local channels, id = channels_left(), fact('channel_id')
  if id ~= '' then
    redis.call('HDEL', K, id)
    channels[id] = fact('channel_resource')
  end
  redis.call('HDEL', F, 'channel_id', 'channel_resource', 'channel_renew_at', 'channels_left')
  wake_at('channel', nil)
  wake_at('look', nil)
  return channels
end

-- The calendar stands: Google is asked for notifications, and it is looked at, first after `first` ms.
local function watch_calendar(first)
  wake_at('channel', now)
  wake_at('look', now + first)
end

-- What is left to do at Google after an end, under the connection's id; the database's own expiry stands behind it.
local ERRAND_EXPIRY = 8 * DAY
local function leave_errand(id, errand, at)
  errand.started, errand.tries = ms(now), 0
  redis.call('HSET', E, id, cjson.encode(errand))
  redis.call('PEXPIREAT', E, ms(now + ERRAND_EXPIRY - offset))
  wake_at('errand:' .. id, at)
end

-- A connection has taken this calendar up: an errand that was still to delete it leaves it (the wish is older).
local function keep_calendar(calendar)
  local errands = redis.call('HGETALL', E)
  for i = 1, #errands, 2 do
    local errand = cjson.decode(errands[i + 1])
    if errand.delete_calendar and errand.calendar_id == calendar then
      errand.delete_calendar, errand.calendar_id = false, ''
      redis.call('HSET', E, errands[i], cjson.encode(errand))
    end
  end
end

local function session(name)
  local text = redis.call('HGET', S, name)
  return text and cjson.decode(text)
end

-- A wait for a person's act counts from its first moment, whatever is looked at meanwhile.
local function put_session(name, record)
  if record.status ~= 'waiting' then record.waiting_since = 0
  elseif (record.waiting_since or 0) == 0 or record.waiting_since > now then record.waiting_since = now end
  redis.call('HSET', S, name, cjson.encode(record))
end

-- Whether a person has to act first, as far as it stands here: a policy that outgrew a consent does once it is noted.
local function waits_for_person()
  return instant('paused_by_agent') > 0 or instant('paused_by_organization') > 0 or instant('consent_needed') > 0
    or instant('calendar_since') == 0
end

-- It is looked at again `after` ms, counted from now or from when its wait for a person began, and at `latest` in any
-- case. Never at once: a process whose clock is behind would come to the same end again and again. And soon, where it
-- was to wait for somebody who acted while that was decided.
local function look_again(name, record, after, latest)
  if not after then return wake_at('session:' .. name, nil) end
  local waiting = record.status == 'waiting'
  local at = (waiting and record.waiting_since or now) + after
  if waiting and not waits_for_person() then at = now end
  wake_at('session:' .. name, math.max(now + 1000, math.min(at, latest or math.huge)))
end

local function each_session(change)
  local all = redis.call('HGETALL', S)
  for i = 1, #all, 2 do
    local record = cjson.decode(all[i + 1])
    if change(record, all[i]) then put_session(all[i], record) end
  end
end

-- Somebody acted: everything that waited for that is looked at again now. What somebody is at stays theirs: they settle it
-- by what stands here then.
local function wake_unsettled()
  each_session(function(record, name)
    local unsettled = record.status == 'pending' or record.status == 'waiting'
    if unsettled and not record.leased then wake_at('session:' .. name, now) end
  end)
end

-- What was accepted and not applied is reported failed, and its content destroyed at once.
local function fail_unsettled(reason)
  local failed = 0
  each_session(function(record, name)
    wake_at('session:' .. name, nil)
    if record.status ~= 'pending' and record.status ~= 'waiting' then return false end
    -- Who is at Google with it can no longer say how that ended.
    record.sent = record.sent or record.leased
    record.status, record.reason, record.leased, record.digest = 'failed', reason, false, ''
    record.fence = record.fence + 1
    failed = failed + 1
    notify('session.failed', name)
    return true
  end)
  redis.call('DEL', W)
  return failed
end

-- The calendar is gone or replaced: what stood in it is lost until it is wanted again.
local function lose_scheduled(reason)
  each_session(function(record, name)
    if record.status ~= 'scheduled' then return false end
    record.status, record.reason, record.digest = 'lost', reason, ''
    notify('session.lost', name)
    return true
  end)
end

-- The old account keeps its calendar; what lay in it is lost to us until it is wanted again.
local function leave_account()
  lose_scheduled('account_changed')
  keep_held_calendar()
  put('calendar_id', '', 'calendar_since', '0', 'calendar_lost_at', '0', 'moved_account', '1')
end
