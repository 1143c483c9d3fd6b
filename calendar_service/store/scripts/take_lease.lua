#!lua
-- Take a named lease on this slot: for refreshing the token, or for making the calendar. An end further ahead than the lease
-- is long was set by a wrong clock, and counts as past.
-- keys: slot
-- args: name holder length
--   name: 'refresh' or 'calendar'
--   holder: the caller's random id
--   length: how long it lasts (ms)
-- answers: ok | taken
--   ok: the caller has it; with its fencing number
--   taken: another process has it, or there is no slot
-- use: clock facts
local name, length = arg.name .. '_leased', tonumber(arg.length)
if redis.call('EXISTS', KEY.facts) == 0 or plausible(instant(name), length) > now then return {'taken'} end
put(name, ms(now + length), arg.name .. '_holder', arg.holder)
return {'ok', redis.call('HINCRBY', KEY.facts, arg.name .. '_fencing_token', 1)}
