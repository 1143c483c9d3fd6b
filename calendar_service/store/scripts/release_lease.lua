#!lua flags=allow-oom
-- End a named lease, if it is still the caller's.
-- keys: slot
-- args: name fencing_number
--   name: 'refresh' or 'calendar'
--   fencing_number: the number that came with the lease
-- answers: ok
--   ok: the caller does not have the lease any more
-- use: facts
if fact(arg.name .. '_fencing_token') == arg.fencing_number then redis.call('HDEL', KEY.facts, arg.name .. '_leased') end
return {'ok'}
