#!lua
-- Add a connection to an account's reference set.
-- keys: account_ref
-- args: connection_id new_token
--   connection_id: the connection
--   new_token: '1' = it joins with a refresh token that Google gave just now, which is counted
-- returns: the fields of the set and their values, in turn
-- use: clock
local number = string.match(redis.call('HGET', KEY.account_ref, arg.connection_id) or '', ':(%d+)$') or '0'
if arg.new_token == '1' then number = ms(redis.call('HINCRBY', KEY.account_ref, 'granted', 1)) end
redis.call('HSET', KEY.account_ref, arg.connection_id, ms(now) .. ':' .. number)
redis.call('PEXPIRE', KEY.account_ref, LIFETIME.account_ref_expiry)
return redis.call('HGETALL', KEY.account_ref)
