-- The database's clock decides every instant, in milliseconds; the test clock alone moves it.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(arg.clock_offset)

-- A number as it is stored: whole, without an exponent.
local function ms(value) return string.format('%.0f', value) end

-- Return the instant `at`, or 0 (long past) if it lies more than `longest` ms ahead. Only a clock that was ahead, and was
-- put right since, writes such an instant: nothing must wait until then.
local function plausible(at, longest) return at <= now + longest and at or 0 end

-- Tell whether the clocks of the calling process and of the database agree. While they do not, nothing may be erased: one
-- of them is wrong (law 7).
local function clocks_agree(process_now) return math.abs(now - tonumber(process_now)) <= LIFETIME.clock_tolerance end
