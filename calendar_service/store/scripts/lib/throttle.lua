-- use: clock
-- The throttle: breakers and rate budget towards Google as all replicas know them. An instant that lies too far ahead counts
-- as past, so that a clock that went back holds nothing closed.
local function number(name) return tonumber(redis.call('HGET', KEY.throttle, name) or '') or 0 end

local function write(...) redis.call('HSET', KEY.throttle, ...) end

-- Return which part of the rate is in force, in thousandths. A refusal halves it; in each `rate_recovery` an eighth comes
-- back.
local function level()
  local halved_to, halved_at = number('level'), plausible(number('halved_at'), 0)
  if halved_to == 0 or halved_at == 0 then return 1000 end
  return math.min(1000, halved_to + 125 * math.floor((now - halved_at) / LIFETIME.rate_recovery))
end

-- Admit one trial request each `pause` ms; `field` holds when the next one is due. With `patience` this caller takes it only
-- if nobody else did for so many ms.
local function admit_trial(field, pause, patience)
  if plausible(number(field) + patience, pause + patience) > now then return false end
  write(field, ms(now + pause))
  return true
end

-- Return what a bucket holds that fills at `rate` tokens a minute up to `burst`.
local function fill(bucket, rate, burst)
  local at = plausible(number(bucket .. '_at'), 0)
  if at == 0 then return burst end
  return math.min(burst, number(bucket .. '_left') + (now - at) * rate / LIFETIME.minute)
end

local function store_tokens(bucket, left) write(bucket .. '_at', ms(now), bucket .. '_left', string.format('%.3f', left)) end

-- Take tokens from a bucket: `most`, or what is left if that is at least `least`, or none. Return how many, and whether less
-- than half of the burst is left (1 or 0).
local function lease_tokens(bucket, rate, burst, least, most)
  local left = fill(bucket, rate, burst)
  local units = left >= least and math.min(most, math.floor(left)) or 0
  store_tokens(bucket, left - units)
  return units, left - units < burst / 2 and 1 or 0
end

-- Spend `cost` tokens of a bucket that holds at least one; tell whether they are spent. What is missing is owed: an operation
-- that costs more waits no longer than a cheap one, so the cheap ones behind it cannot keep it waiting for ever.
local function spend_tokens(bucket, rate, burst, cost)
  local left = fill(bucket, rate, burst)
  local is_spent = left >= 1
  store_tokens(bucket, is_spent and left - cost or left)
  return is_spent
end

-- Count accepted units by the hour, for a day. Return the usual load in units a minute.
local function count_demand(units)
  local hour = math.floor(now / LIFETIME.hour)
  if units > 0 then redis.call('HINCRBY', KEY.throttle, 'hour:' .. hour, units) end
  local fields, sum, first = redis.call('HGETALL', KEY.throttle), 0, hour
  for i = 1, #fields, 2 do
    local counted = tonumber(string.match(fields[i], '^hour:(%d+)$'))
    if counted and (counted > hour or counted < hour - 24) then
      redis.call('HDEL', KEY.throttle, fields[i])
    elseif counted then
      sum, first = sum + tonumber(fields[i + 1]), math.min(first, counted)
    end
  end
  return sum / math.max(60, (now - first * LIFETIME.hour) / LIFETIME.minute)
end
