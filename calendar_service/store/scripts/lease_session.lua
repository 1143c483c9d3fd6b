#!lua
-- The worker takes the lease of a session whose time has come.
-- keys: slot
-- args: session
--   session: its name
-- answers: ok | early | gone
--   ok: with the record (JSON) and the database's time (ms)
--   early: its time has not come, or another worker has it
--   gone: there is no such session
-- use: clock timers sessions
local name = arg.session
local record = session(name)
if not record then
  set_timer(session_timer(name), nil)
  update_agent_timer()
  return {'gone'}
end
local due = due_at(session_timer(name))
if due == 0 or due > now then return {'early'} end
-- The former lease expired without a result, so its write may have reached Google.
record.copy.in_doubt = record.copy.in_doubt or record.leased
record.leased, record.fencing_token = true, record.fencing_token + 1
put_session(name, record)
set_timer(session_timer(name), now + LIFETIME.lease)
update_agent_timer()
return {'ok', cjson.encode(record), ms(now)}
