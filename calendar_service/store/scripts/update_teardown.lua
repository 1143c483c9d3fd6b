#!lua flags=allow-oom
-- Store a teardown after a try, or remove it at its end; its sealed token is destroyed with it (law 6).
-- keys: slot
-- args: connection_id teardown outcome after calendar_deletion
--   connection_id: the connection that is torn down
--   teardown: the teardown (JSON) as it shall be; '' = it ended
--   outcome: the state of the revocation: a value of `domain.connection.Revocation`
--   after: the next try is due after so many ms
--   calendar_deletion: at its end, 'deleted' or 'refused'; '' = the calendar was not to be deleted
-- answers: ok | gone
--   ok: written
--   gone: the teardown had ended before
-- use: clock facts audit timers
local id = arg.connection_id
local stored = redis.call('HGET', KEY.teardowns, id)
if not stored then return {'gone'} end
if arg.teardown == '' then
  redis.call('HDEL', KEY.teardowns, id)
  set_timer(teardown_timer(id), nil)
  -- The facts may be a later connection's by now, or erased: then the outcome is only in the audit entry.
  if fact('account_former_connection') == id then put('account_former_revocation', arg.outcome) end
  if fact('connection_id') == id then
    if arg.outcome ~= fact('end_revocation') then put('end_revocation', arg.outcome, 'end_revocation_at', ms(now)) end
    if arg.calendar_deletion ~= '' then put('calendar_deletion', arg.calendar_deletion) end
  end
else
  -- The caller's reading may be old. A key rotation may have resealed the token since, and a later connection may have taken
  -- the calendar up, which cancelled its deletion: both stay as stored.
  local teardown = cjson.decode(arg.teardown)
  stored = cjson.decode(stored)
  teardown.grant = stored.grant
  if not stored.delete_calendar then teardown.delete_calendar, teardown.calendar_id = false, '' end
  redis.call('HSET', KEY.teardowns, id, cjson.encode(teardown))
  set_timer(teardown_timer(id), now + tonumber(arg.after))
end
update_agent_timer()
append_entry({connection = id, outcome = arg.outcome})
return {'ok'}
