#!lua
-- Take a named lease on this slot: for refreshing the token, for making the calendar.
-- keys: slot
-- args: name length
--   name: 'refresh' or 'calendar'
--   length: how long it lasts (ms)
-- answers: ok | taken
--   ok: it is the caller's; with its fencing number
--   taken: somebody else has it, or there is no slot
-- use: clock facts
local name, length = arg.name .. '_leased', tonumber(arg.length)
if redis.call('EXISTS', KEY.facts) == 0 or plausible(instant(name), length) > now then return {'taken'} end
put(name, ms(now + length))
return {'ok', redis.call('HINCRBY', KEY.facts, arg.name .. '_fence', 1)}
