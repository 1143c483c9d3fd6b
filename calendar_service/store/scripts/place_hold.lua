#!lua
-- Place a legal hold: identifiers and their history stay until it ends. Tokens are destroyed as without one (law 7).
-- keys: slot
-- args: ends_at silent_until statement replace
--   ends_at: its end (ms)
--   silent_until: the instant (ms) before which the agent may not be informed; 0 = the agent may at once
--   statement: who placed it, why, and on whose authority (JSON)
--   replace: '1' = it may replace a hold that stands
-- answers: ok | held | over | not_connected
--   ok: placed
--   held: another hold stands
--   over: its end lies in the past by the database's clock
--   not_connected: there is no connection
-- use: clock facts audit timers holds
local ends_at = tonumber(arg.ends_at)
if fact('grant_state') == '' then return {'not_connected'} end
if ends_at <= now then return {'over'} end
if held() and arg.replace ~= '1' then return {'held'} end
-- A hold that takes the place of one that stands goes on from it without a gap.
put('hold_placed_at', held() and fact('hold_placed_at') or ms(now), 'hold_until', arg.ends_at,
  'hold_silent_until', arg.silent_until, 'hold_statement', arg.statement)
set_timer(TIMER.hold, ends_at)
if instant('end_erase_due') > 0 then set_timer(TIMER.erase, erasable_at()) end
guard_expiry()
update_agent_timer()
append_entry({['until'] = arg.ends_at})
return {'ok'}
