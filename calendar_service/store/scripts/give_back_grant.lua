#!lua flags=allow-oom
-- A consent was refused after Google had granted it: the sealed grant never becomes a connection and goes to a teardown.
-- keys: slot
-- args: connection_id grant account_ref teardown_lease
--   connection_id: a random id, under which the grant is sealed
--   grant: the sealed grant
--   account_ref: the keyed hash of the Google account; '' = Google did not say whose it is
--   teardown_lease: for how long (ms) workers leave the teardown to the caller
-- answers: ok
--   ok: the teardown has it
-- use: clock audit timers teardown
start_teardown(arg.connection_id, {grant = arg.grant, account_ref = arg.account_ref, delete_calendar = false,
  calendar_id = '', channels = {}}, now + tonumber(arg.teardown_lease))
update_agent_timer()
append_entry({connection = arg.connection_id, outcome = 'pending'})
return {'ok'}
