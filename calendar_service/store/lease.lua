#!lua
-- A named lease on this slot: refreshing the token, making the calendar. A: name, milliseconds
local name, length = A[1] .. '_leased', tonumber(A[2])
-- One that ends later than any could was taken while a clock was ahead that has been put right since.
if redis.call('EXISTS', F) == 0 or (instant(name) > now and instant(name) <= now + length) then return {'taken'} end
put(name, ms(now + length))
local fence = redis.call('HINCRBY', F, A[1] .. '_fence', 1)
return {'ok', fence}
