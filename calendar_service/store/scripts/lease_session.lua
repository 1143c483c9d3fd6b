#!lua
-- A worker takes the lease of a session that is due.
-- keys: slot
-- args: session holder
--   session: its name
--   holder: the worker's random id, under which it gets the lease
-- answers: ok | early | gone
--   ok: leased; with the record (JSON) and the database's time (ms)
--   early: it is not due, as when another process has the lease
--   gone: there is no such session; its timer is removed
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
-- The former lease expired without a result, so its write may have reached Google. The holder is told so; what is stored
-- while it has the lease is only what it does not know yet.
local in_doubt = record.copy.in_doubt or record.leased
record.leased, record.fencing_token, record.holder = true, record.fencing_token + 1, arg.holder
record.copy.in_doubt = false
put_session(name, record)
record.copy.in_doubt = in_doubt
set_timer(session_timer(name), now + LIFETIME.lease)
update_agent_timer()
return {'ok', cjson.encode(record), ms(now)}
