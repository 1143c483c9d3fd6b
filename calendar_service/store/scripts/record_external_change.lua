#!lua
-- Record what a person did to an event in Google, and queue its webhook event in the same step, so it is queued once.
-- keys: slot
-- args: connection_id session loaded record change
--   connection_id: the connection whose calendar was read
--   session: the session's name
--   loaded: the record (JSON) as it was read before the call at Google
--   record: the record (JSON) as it shall be
--   change: 'changed', 'deleted' or 'restored'
-- answers: ok | again | gone
--   ok: recorded, and a webhook event queued
--   again: the session changed meanwhile, so what Google showed may be the service's own write
--   gone: the connection ended
-- use: facts audit timers outbox
if not is_live(arg.connection_id) then return {'gone'} end
if redis.call('HGET', KEY.sessions, arg.session) ~= arg.loaded then return {'again'} end
redis.call('HSET', KEY.sessions, arg.session, arg.record)
if arg.change == 'changed' then enqueue_event('session.changed_in_google', arg.session) end
if arg.change == 'deleted' then enqueue_event('session.deleted_in_google', arg.session) end
if arg.change == 'restored' then enqueue_event('session.applied', arg.session) end
update_agent_timer()
append_entry({change = arg.change})
return {'ok'}
