#!lua
-- After a restore: Google may have newer states of the sessions than their records know. Each record whose revisions would
-- count too low is raised, and in doubt: its event is looked for before the next write, also of a session that the record
-- says is cancelled or was never written.
-- keys: slot
-- args: connection_id least
--   connection_id: the connection whose sessions they are
--   least: the offset that each session's revisions get at least
-- answers: ok | gone
--   ok: raised; with how many records
--   gone: it is not the slot's connection any more
-- use: facts sessions
if fact('connection_id') ~= arg.connection_id then return {'gone'} end
local least, raised = tonumber(arg.least), 0
each_session(function(record)
  if (record.copy.revision_offset or 0) >= least then return false end
  record.copy.revision_offset, record.copy.in_doubt = least, true
  raised = raised + 1
  return true
end)
return {'ok', raised}
