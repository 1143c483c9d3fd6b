#!lua
-- Accept the desired state of one session, and take its lease if it is free: one durable step (laws 2, 4).
-- keys: slot
-- args: connection_id session loaded record content inline holder latest only most_sessions most_bytes most_records
--   connection_id: the connection of the caller's reading
--   session: its name
--   loaded: the record (JSON) of the caller's reading; '' = none
--   record: the record (JSON) as it shall be
--   content: the sealed content; '' = none waits from now on
--   inline: '1' = the caller goes to Google with it now; '0' = the worker does
--   holder: the caller's random id, under which it gets the lease
--   latest: for a session that waits for a person: the instant (ms) at which it is looked at in any case; '' = none
--   only: '' = apply the state; 'keep' = note the record; 'drop' = note the record, and let waiting content and timer go
--   most_sessions: the content of so many of the agent's sessions may wait
--   most_bytes: so many bytes of it may wait; what takes no more than the session's content before is never refused
--   most_records: so many records of the agent may be kept
-- answers: leased | queued | waiting | noted | again | full | gone
--   leased: the caller has the lease, and gets its fencing number
--   queued: the worker or the present holder of the lease applies it
--   waiting: it waits for a person's act
--   noted: the record is written, and nothing else is to do
--   again: the record changed since the caller read it
--   full: more would wait, or be kept, than the agent may have ('waiting' or 'records'); nothing is written
--   gone: the connection ended
-- use: clock facts audit timers holds outbox sessions waiting
local name = arg.session
if not is_live(arg.connection_id) then return {'gone'} end
local current = redis.call('HGET', KEY.sessions, name) or ''
if current ~= arg.loaded then return {'again'} end
-- A cancel brings no content, and is accepted in any case.
local more = #arg.content - redis.call('HSTRLEN', KEY.waiting, name)
if more > 0 then
  local sessions = redis.call('HLEN', KEY.waiting) + (more == #arg.content and 1 or 0)
  local bytes = instant('waiting_bytes') + more
  if sessions > tonumber(arg.most_sessions) or bytes > tonumber(arg.most_bytes) then return {'full', 'waiting'} end
  if current == '' and redis.call('HLEN', KEY.sessions) >= tonumber(arg.most_records) then return {'full', 'records'} end
end
-- A lease that ends implausibly late was set by a wrong clock, and counts as free.
local record = cjson.decode(arg.record)
local before = current ~= '' and cjson.decode(current)
local held = before and before.leased and plausible(due_at(session_timer(name)), LIFETIME.lease) > now or false
local answer = 'leased'
if arg.only ~= '' then
  answer = 'noted'
  if arg.only == 'drop' then set_timer(session_timer(name), nil) end
elseif record.status == 'waiting' then
  answer = 'waiting'
  record.leased = held
elseif held then
  -- The holder is at Google with the older state. When it settles, it finds the newer revision and makes the session due.
  answer = 'queued'
  record.leased = true
elseif arg.inline == '0' then
  answer = 'queued'
  set_timer(session_timer(name), now)
else
  record.leased, record.fencing_token, record.holder = true, record.fencing_token + 1, arg.holder
  set_timer(session_timer(name), now + LIFETIME.lease)
end
-- The holder of the lease knows whether it began in doubt. What is stored meanwhile is what it does not know yet.
if held then
  record.copy.in_doubt = before.copy.in_doubt
elseif answer == 'leased' then
  record.copy.in_doubt = false
end
put_session(name, record)
if answer == 'waiting' and not held then set_retry(name, record, LIFETIME.waiting_max, tonumber(arg.latest)) end
if record.status == 'cancelled' and not (before and before.status == 'cancelled') then
  enqueue_event('session.applied', name)
end
if arg.content ~= '' then
  put_content(name, arg.content)
elseif arg.only ~= 'keep' then
  drop_content(name)
end
if due_at(TIMER.purge_sessions) == 0 then set_timer(TIMER.purge_sessions, now + LIFETIME.purge_every) end
guard_expiry()
update_agent_timer()
append_entry({revision = record.revision})
return {answer, record.fencing_token}
