#!lua flags=allow-oom
-- A worker begins a due item of a live connection: its timer moves to the end of a lease, so other workers leave it alone
-- until then, and take it if this one dies. `reschedule` compares that instant when the work is done.
-- keys: slot
-- args: timer
--   timer: the item's timer
-- answers: ok | gone
--   ok: begun; with the instant (ms, database time) at which the item is due now
--   gone: the connection ended, so the timer is removed
-- use: clock facts timers
if fact('grant_state') ~= 'live' then
  set_timer(arg.timer, nil)
  update_agent_timer()
  return {'gone'}
end
local at = now + LIFETIME.lease
set_timer(arg.timer, at)
update_agent_timer()
return {'ok', ms(at)}
