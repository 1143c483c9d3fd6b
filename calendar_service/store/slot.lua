-- What every script of an agent's slot begins with. KEYS and the first ARGV are the same for all of them.
local F, G, S, W, D, E, T, X, J, R = unpack(KEYS)
local offset, member, entry = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local A = {}
for i = 4, #ARGV do A[i - 3] = ARGV[i] end
local DAY = 86400000

-- The database's clock decides, moved by the test clock alone.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + offset

local function ms(value) return string.format('%.0f', value) end

local function fact(name) return redis.call('HGET', F, name) or '' end

local function instant(name) return tonumber(fact(name)) or 0 end

local function put(...) redis.call('HSET', F, ...) end

-- Each step leaves its entry in the same step; `more` adds what only the script knows.
local connection = fact('connection_id')
local function journal(more)
  local fields = cjson.decode(entry)
  fields.connection = redis.call('HGET', F, 'connection_id') or connection
  for key, value in pairs(more or {}) do fields[key] = value end
  redis.call('XADD', J, '*', 'at', ms(now), 'entry', cjson.encode(fields))
end

local function wake_at(what, at)
  if at then redis.call('ZADD', D, ms(at), what) else redis.call('ZREM', D, what) end
end

-- The slot's one timer entry is its earliest due time.
local function retime()
  local first = redis.call('ZRANGE', D, 0, 0, 'WITHSCORES')
  if first[1] then redis.call('ZADD', T, first[2], member) else redis.call('ZREM', T, member) end
end

-- The database's own expiry stands a day behind the erasure, for a deployment whose worker is gone (law 7).
-- Expiry follows the database's real clock, so the test clock's offset is taken off again.
local function guard_expiry()
  local due = instant('erase_due')
  for _, key in ipairs({F, G, S, W, D}) do
    if due > 0 then redis.call('PEXPIREAT', key, ms(due + DAY - offset)) else redis.call('PERSIST', key) end
  end
end

local function session(name)
  local text = redis.call('HGET', S, name)
  return text and cjson.decode(text)
end

local function put_session(name, record) redis.call('HSET', S, name, cjson.encode(record)) end

-- Everything that waited for a person's act is looked at again now.
local function wake_waiting()
  for _, name in ipairs(redis.call('HKEYS', W)) do wake_at('session:' .. name, now) end
end

local function each_session(change)
  local all = redis.call('HGETALL', S)
  for i = 1, #all, 2 do
    local record = cjson.decode(all[i + 1])
    if change(record, all[i]) then put_session(all[i], record) end
  end
end

-- What was accepted and not applied is reported failed, and its content destroyed at once.
local function fail_unsettled(reason)
  local failed = 0
  each_session(function(record, name)
    wake_at('session:' .. name, nil)
    if record.status ~= 'pending' and record.status ~= 'waiting' then return false end
    record.status, record.reason, record.leased, record.digest = 'failed', reason, false, ''
    record.fence = record.fence + 1
    failed = failed + 1
    return true
  end)
  redis.call('DEL', W)
  return failed
end

-- The old account keeps its calendar; what lay in it is lost to us until it is wanted again.
local function leave_account()
  each_session(function(record)
    if record.status ~= 'scheduled' then return false end
    record.status, record.reason, record.digest = 'lost', 'account_changed', ''
    return true
  end)
  put('calendar_id', '', 'calendar_since', '0', 'calendar_lost_at', '0', 'moved_account', '1')
end
