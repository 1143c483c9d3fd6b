#!lua flags=allow-oom
-- Remove a connection that stands nowhere from an account's reference set (the daily repair).
-- keys: account_ref
-- args: connection_id joined_at process_now
--   connection_id: the connection
--   joined_at: the instant (ms, database time) at which it joined, as the caller read it
--   process_now: the instant (ms) by the caller's clock
-- answers: ok | clock | recent | moved
--   ok: it is removed
--   clock: the clocks of caller and database disagree, so a connection that has only just joined could seem old
--   recent: it joined within the last hour, so it may still come to stand
--   moved: it left or joined again meanwhile
-- use: clock
if not clocks_agree(arg.process_now) then return {'clock'} end
local joined_at = plausible(tonumber(arg.joined_at), LIFETIME.joined_before)
if joined_at >= now - LIFETIME.joined_before then return {'recent'} end
if redis.call('HGET', KEY.account_ref, arg.connection_id) ~= arg.joined_at then return {'moved'} end
redis.call('HDEL', KEY.account_ref, arg.connection_id)
return {'ok'}
