#!lua flags=allow-oom
-- Lift a legal hold: an erasure that it kept back is due again, at once if its term is over.
-- keys: slot
-- args: mode
--   mode: 'released' = whatever its end; 'over' = only if its end has passed
-- answers: ok | none | early
--   ok: lifted
--   none: no hold stands
--   early: its end has not passed
-- use: facts audit timers holds
if instant('hold_until') == 0 then return {'none'} end
if arg.mode == 'over' and held() then return {'early'} end
redis.call('HDEL', KEY.facts, 'hold_statement', 'hold_placed_at', 'hold_until', 'hold_silent_until', 'hold_calendars')
set_timer(TIMER.hold, nil)
if instant('end_erase_due') > 0 then set_timer(TIMER.erase, instant('end_erase_due')) end
guard_expiry()
update_agent_timer()
append_entry()
return {'ok'}
