#!lua flags=allow-oom
-- End a named lease, if it is still the caller's.
-- keys: slot
-- args: name fencing_number holder
--   name: 'refresh' or 'calendar'
--   fencing_number: the number that came with the lease
--   holder: the random id under which it was taken
-- answers: ok
--   ok: the caller does not have the lease any more
-- use: facts
-- A database that went back gives a fencing number twice, but never to the same holder.
local is_callers = fact(arg.name .. '_fencing_token') == arg.fencing_number and fact(arg.name .. '_holder') == arg.holder
if is_callers then redis.call('HDEL', KEY.facts, arg.name .. '_leased') end
return {'ok'}
