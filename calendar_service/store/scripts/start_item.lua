#!lua flags=allow-oom
-- Work on one due item of a live connection begins: it is left alone for a while, and if the worker dies, others go on.
-- keys: slot
-- args: timer
--   timer: the item's timer
-- answers: ok | gone
--   ok: begun; with the instant (ms) at which it is due from now on
--   gone: the connection ended, so the item is dropped
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
