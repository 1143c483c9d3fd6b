#!lua flags=allow-oom
-- Count operations that were accepted without a lease.
-- keys: throttle
-- args: units
--   units: their units since the last time
-- answers: ok
--   ok: counted
-- use: throttle
count_demand(tonumber(arg.units))
return {'ok'}
