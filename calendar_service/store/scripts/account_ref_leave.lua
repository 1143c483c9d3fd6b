#!lua flags=allow-oom
-- Remove a connection from an account's reference set; the last to leave may revoke, and announces it in the same step.
-- keys: account_ref
-- args: connection_id deadline
--   connection_id: the connection
--   deadline: for how long (ms) its revocation may be under way; 0 = the caller sends none, so none is announced
-- answers: last | others
--   last: no other connection uses the account; the caller may revoke within the deadline
--   others: other connections use it, so nobody may revoke
-- use: clock account_refs
local deadline = tonumber(arg.deadline)
if remove_connection(arg.connection_id) > 0 then return {'others'} end
if deadline > 0 then
  redis.call('HSET', KEY.account_ref, 'revoking', ms(now + deadline))
  redis.call('PEXPIRE', KEY.account_ref, LIFETIME.revocation_announced)
end
return {'last'}
