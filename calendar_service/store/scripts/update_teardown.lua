#!lua flags=allow-oom
-- A teardown made a step, or ended: with its end its token is gone (law 6).
-- keys: slot
-- args: connection_id teardown outcome after calendar_deletion
--   connection_id: the connection that is torn down
--   teardown: the teardown (JSON) as it shall be; '' = it ended
--   outcome: how the revocation stands
--   after: the next step is due after so many ms
--   calendar_deletion: at its end, what became of the calendar; '' = it was not to be deleted
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
  -- Facts of a later connection, or of none, stay untouched.
  if fact('connection_id') == id then
    if arg.outcome ~= fact('end_revocation') then put('end_revocation', arg.outcome, 'end_revocation_at', ms(now)) end
    if arg.calendar_deletion ~= '' then put('calendar_deletion', arg.calendar_deletion) end
  end
else
  -- The stored token stays: it may have been sealed under another key meanwhile. So does the choice to leave a calendar that
  -- a later connection uses.
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
