#!lua
-- Add a connection to an account's reference set. The field `revoking` is the end of a revocation's deadline; every other
-- field is a connection, with the instant at which it joined.
-- keys: account_ref
-- args: connection_id
--   connection_id: the connection
-- returns: the end (ms, database time) of an announced revocation's deadline; 0 = none is announced
-- use: clock
redis.call('HSET', KEY.account_ref, arg.connection_id, ms(now))
redis.call('PEXPIRE', KEY.account_ref, LIFETIME.account_ref_expiry)
return {tonumber(redis.call('HGET', KEY.account_ref, 'revoking') or '0')}
