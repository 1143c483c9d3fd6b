#!lua flags=allow-oom
-- Remove a connection that stands nowhere from an account's reference set (the daily repair).
-- keys: account_ref
-- args: connection_id joined process_now
--   connection_id: the connection
--   joined: its field as the caller read it; it begins with the instant (ms, database time) at which it joined
--   process_now: the instant (ms) by the caller's clock
-- answers: ok | clock | recent | moved
--   ok: it is removed
--   clock: the clocks of caller and database disagree, so a connection that has only just joined could seem old
--   recent: it joined within the last hour, so it may still come to stand
--   moved: it left or joined again meanwhile
-- use: clock account_refs
if not clocks_agree(arg.process_now) then return {'clock'} end
local joined_at = plausible(tonumber(string.match(arg.joined, '^%d+')), LIFETIME.joined_before)
if joined_at >= now - LIFETIME.joined_before then return {'recent'} end
if redis.call('HGET', KEY.account_ref, arg.connection_id) ~= arg.joined then return {'moved'} end
remove_connection(arg.connection_id)
return {'ok'}
