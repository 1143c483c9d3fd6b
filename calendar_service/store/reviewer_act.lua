#!lua
-- Count one act; the count begins anew when its time is over. A: offset, time (ms)
local acts = redis.call('INCR', KEYS[1])
if acts == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {acts}
