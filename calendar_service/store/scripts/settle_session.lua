#!lua flags=allow-oom
-- Write how an attempt at Google ended, and end the lease. A holder that lost it changes nothing (fencing, law 4); if it may
-- have written at Google all the same, the record is in doubt, and somebody looks.
-- keys: slot
-- args: connection_id session fencing_number holder record again_after latest destroy_content
--   connection_id: the connection that the attempt used
--   session: the session's name
--   fencing_number: the fencing token that came with the lease
--   holder: the random id under which the lease was taken
--   record: the record (JSON) as the attempt left it
--   again_after: a worker takes it again after so many ms; '' = not at all
--   latest: the instant (ms) at which it does in any case; '' = none
--   destroy_content: '1' = the waiting content is destroyed
-- answers: ok | lost | gone
--   ok: settled; if a newer state was accepted meanwhile, only what is known of Google's copy is written
--   lost: the lease was lost, so no outcome is written
--   gone: there is no such session
-- use: clock facts audit timers outbox sessions waiting
local name = arg.session
local current = session(name)
if not current then return {'gone'} end
if fact('connection_id') ~= arg.connection_id then return {'lost'} end
-- A database that went back gives a fencing token twice, but never to the same holder.
local record = cjson.decode(arg.record)
if current.fencing_token ~= tonumber(arg.fencing_number) or current.holder ~= arg.holder then
  if record.status == 'scheduled' or record.copy.in_doubt then note_late_write(name, current) end
  update_agent_timer()
  return {'lost'}
end
-- What came in while the lease was held: a former holder's late write, or a restore.
record.copy.in_doubt = record.copy.in_doubt or current.copy.in_doubt
record.copy.revision_offset = math.max(record.copy.revision_offset or 0, current.copy.revision_offset or 0)
if current.revision == record.revision then
  record.leased = false
  record.version = current.version  -- a repetition may have been accepted under a newer version meanwhile
  put_session(name, record)
  if record.status ~= current.status then
    if record.status == 'failed' then enqueue_event('session.failed', name) end
    if record.status == 'scheduled' or record.status == 'cancelled' then enqueue_event('session.applied', name) end
  end
  set_retry(name, record, tonumber(arg.again_after), tonumber(arg.latest))
  if arg.destroy_content == '1' then drop_content(name) end
else
  -- A newer state was accepted meanwhile: it stays, with what the attempt learned of Google's copy.
  current.copy, current.leased = record.copy, false
  put_session(name, current)
  set_timer(session_timer(name), now)
end
update_agent_timer()
append_entry({status = record.status, revision = record.revision})
return {'ok'}
