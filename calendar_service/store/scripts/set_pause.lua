#!lua flags=allow-oom
-- Set or lift one of the two pauses. The other one stays as it is. Works when the database is out of memory: a pause stops work.
-- keys: slot
-- args: fact on
--   fact: 'pause_by_agent' or 'pause_by_organization'
--   on: '1' = set it; '0' = lift it
-- answers: ok | unchanged | not_connected
--   ok: done
--   unchanged: it was so before
--   not_connected: there is no live connection
-- use: clock facts audit timers outbox channels sessions
if fact('grant_state') ~= 'live' then return {'not_connected'} end
local on = arg.on == '1'
if (instant(arg.fact) > 0) == on then return {'unchanged'} end
local function paused() return instant('pause_by_agent') > 0 or instant('pause_by_organization') > 0 end
local before = paused()
put(arg.fact, on and ms(now) or '0')
keep_admin_action()
-- The backend is notified only when the connection as a whole becomes paused or resumes.
if paused() ~= before then enqueue_event(on and 'connection.paused' or 'connection.resumed') end
if not on then wake_unsettled() end
if not on and instant('calendar_since') > 0 then watch_calendar(0) end
update_agent_timer()
append_entry()
return {'ok'}
