-- use: clock
-- The throttle: breakers and rate budget towards Google as all replicas know them. An instant that lies too far ahead counts
-- as past, so that a clock that went back holds nothing closed.
local function number(name) return tonumber(redis.call('HGET', KEY.throttle, name) or '') or 0 end

local function write(...) redis.call('HSET', KEY.throttle, ...) end

-- Return which part of the rate is in force, in thousandths. A refusal halves it; after `rate_recovery` an eighth comes back
-- in each such time.
local function level()
  local kept, limited = number('level'), plausible(number('limited'), 0)
  if kept == 0 or limited == 0 then return 1000 end
  return math.min(1000, kept + 125 * math.floor((now - limited) / LIFETIME.rate_recovery))
end

-- While a breaker is open, let one caller through each `rest` ms. `patience`: for how many ms more others are given the
-- chance.
local function admit_trial(name, rest, patience)
  if plausible(number(name) + patience, rest + patience) > now then return false end
  write(name, ms(now + rest))
  return true
end

-- Take `wanted` tokens from a bucket that fills at `rate` tokens a minute up to `burst`; at least `least`, or none.
-- Return how many were given, whether less than half of the burst is left (1 or 0), and the epoch.
local function lease_tokens(pool, rate, burst, least, wanted)
  local at, left = plausible(number(pool .. '_at'), 0), burst
  if at > 0 then left = math.min(burst, number(pool .. '_left') + (now - at) * rate / LIFETIME.minute) end
  local given = left >= least and math.min(wanted, math.floor(left)) or 0
  write(pool .. '_at', ms(now), pool .. '_left', string.format('%.3f', left - given))
  return given, left - given < burst / 2 and 1 or 0, number('epoch')
end

-- Count accepted units by the hour, for a day. Return the usual load in units a minute.
local function count_demand(units)
  local hour = math.floor(now / LIFETIME.hour)
  if units > 0 then redis.call('HINCRBY', KEY.throttle, 'hour:' .. hour, units) end
  local all, sum, first = redis.call('HGETALL', KEY.throttle), 0, hour
  for i = 1, #all, 2 do
    local kept = tonumber(string.match(all[i], '^hour:(%d+)$'))
    if kept and (kept > hour or kept < hour - 24) then
      redis.call('HDEL', KEY.throttle, all[i])
    elseif kept then
      sum, first = sum + tonumber(all[i + 1]), math.min(first, kept)
    end
  end
  return sum / math.max(60, (now - first * LIFETIME.hour) / LIFETIME.minute)
end
