#!lua flags=allow-oom
-- What all replicas know of the way to Google. A: offset, step, its arguments. Each step looks after one thing; a clock
-- that went back must never hold anything closed, so an instant that lies too far ahead counts as past.
local K, A = KEYS[1], {}
for i = 3, #ARGV do A[i - 2] = ARGV[i] end
local MINUTE, HOUR, DAY = 60000, 3600000, 86400000
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
local function ms(value) return string.format('%.0f', value) end
local function number(name) return tonumber(redis.call('HGET', K, name) or '') or 0 end
local function put(...) redis.call('HSET', K, ...) end

-- Full is 1000. Halved at a refusal; a minute later an eighth comes back each minute.
local function level()
  local kept, since = number('level'), now - number('limited')
  if kept == 0 or since < 0 then return 1000 end
  return math.min(1000, kept + 125 * math.max(0, math.floor(since / MINUTE)))
end

-- One caller each so often, while a breaker is open. `patience`: how much longer others are given the chance.
local function canary(name, rest, patience)
  local next_at = number(name)
  if now < next_at + patience and next_at <= now + rest then return false end
  put(name, ms(now + rest))
  return true
end

-- A bucket that fills at `rate` units a minute up to `burst`. Gives at least `least` units, or none.
local function lease(pool, rate, burst, least, wanted)
  local at, left = number(pool .. '_at'), burst
  if at > 0 and at <= now then left = math.min(burst, number(pool .. '_left') + (now - at) * rate / MINUTE) end
  local given = left >= least and math.min(wanted, math.floor(left)) or 0
  put(pool .. '_at', ms(now), pool .. '_left', string.format('%.3f', left - given))
  return {given, left - given < burst / 2 and 1 or 0, number('epoch')}
end

-- Operations accepted, in units, by the hour, for a day: what the usual load is.
local function demand(units)
  local hour = math.floor(now / HOUR)
  if units > 0 then redis.call('HINCRBY', K, 'hour:' .. hour, units) end
  local all, sum, first = redis.call('HGETALL', K), 0, hour
  for i = 1, #all, 2 do
    local kept = tonumber(string.match(all[i], '^hour:(%d+)$'))
    if kept and (kept > hour or kept < hour - 24) then
      redis.call('HDEL', K, all[i])
    elseif kept then
      sum, first = sum + tonumber(all[i + 1]), math.min(first, kept)
    end
  end
  return sum / math.max(60, (now - first * HOUR) / MINUTE)
end

local steps = {}

function steps.failed() -- A: how many in a row open the breaker, pause between canaries
  local failures = redis.call('HINCRBY', K, 'failures', 1)
  if failures < tonumber(A[1]) or number('opened') > 0 then return {'ok'} end
  put('opened', ms(now), 'canary', ms(now + tonumber(A[2])))
  return {'opened'}
end

function steps.worked()
  local opened = number('opened')
  redis.call('HDEL', K, 'failures', 'opened', 'canary')
  return {opened > 0 and 'closed' or 'ok'}
end

-- What Google refuses to all of us: `rejected` are our credentials, `unheard` our address for notifications.
function steps.refused() -- A: what, pause between canaries
  local first = number(A[1]) == 0
  if first then put(A[1], ms(now), A[1] .. '_canary', ms(now + tonumber(A[2]))) end
  return {first and 'refused' or 'ok'}
end

function steps.taken() -- A: what
  local refused = number(A[1])
  redis.call('HDEL', K, A[1], A[1] .. '_canary')
  return {refused > 0 and 'taken' or 'ok'}
end

function steps.may() -- A: what, pause between canaries
  if number(A[1]) == 0 then return {'go'} end
  return {canary(A[1] .. '_canary', tonumber(A[2]), 0) and 'canary' or 'wait'}
end

function steps.limited() -- Refusals of one burst count once.
  local since = now - number('limited')
  if since >= 0 and since < 10000 then return {'ok'} end
  put('level', ms(math.max(62, math.floor(level() / 2))), 'limited', ms(now))
  redis.call('HINCRBY', K, 'epoch', 1)
  return {'halved'}
end

function steps.level()
  return {level()}
end

function steps.lease() -- A: units a minute, burst, least, wanted, units accepted since the last time
  demand(tonumber(A[5]))
  local share = level() / 1000
  return lease('inline', tonumber(A[1]) * share, tonumber(A[2]) * share, tonumber(A[3]), tonumber(A[4]))
end

function steps.demand() -- A: units accepted since the last time
  demand(tonumber(A[1]))
  return {'ok'}
end

function steps.turn() -- A: cost, units a minute, least units a minute, pause between canaries, patience
  local cost = tonumber(A[1])
  if number('opened') > 0 then
    return {canary('canary', tonumber(A[4]), tonumber(A[5])) and 'canary' or 'wait'}
  end
  if cost == 0 then return {'go'} end
  local rate = math.min(tonumber(A[2]), math.max(tonumber(A[3]), 1.5 * demand(0))) * level() / 1000
  return {lease('drain', rate, math.max(3, rate / 6), cost, cost)[1] > 0 and 'go' or 'wait'}
end

function steps.account() -- Of one account's own key. A: units a minute, least, wanted
  local answer = lease('account', tonumber(A[1]), tonumber(A[1]), tonumber(A[2]), tonumber(A[3]))
  redis.call('PEXPIRE', K, 2 * MINUTE)
  return answer
end

function steps.account_limited()
  put('account_at', ms(now), 'account_left', '0')
  redis.call('PEXPIRE', K, 2 * MINUTE)
  return {'ok'}
end

function steps.death() -- Of the deaths' own key. A: a random name, at seven days of age? A cluster: 3, and half of all.
  local function suspected()
    local names, sevens = redis.call('ZRANGE', K, 0, -1), 0
    for _, name in ipairs(names) do
      if string.sub(name, 1, 1) == '7' then sevens = sevens + 1 end
    end
    return sevens >= 3 and sevens * 2 >= #names, sevens
  end
  redis.call('ZREMRANGEBYSCORE', K, '-inf', ms(now - 7 * DAY))
  local before = suspected()
  redis.call('ZADD', K, ms(now), (A[2] == '1' and '7' or '0') .. A[1])
  redis.call('PEXPIRE', K, 8 * DAY)
  local after, sevens = suspected()
  return {after and not before and 'suspected' or 'ok', sevens}
end

return steps[ARGV[2]]()
