#!lua flags=allow-oom
-- Remove the records of sessions that ended long ago (law 11).
-- keys: slot
-- args: process_now days_kept
--   process_now: the instant (ms) by the caller's clock
--   days_kept: how many days a record stays after the day of its session's end
-- answers: ok | clock
--   ok: done
--   clock: the clocks of caller and database disagree, so none was removed
-- use: clock audit timers holds waiting
if not clocks_agree(arg.process_now) then return {'clock'} end
local today, days_kept = math.floor(now / LIFETIME.day), tonumber(arg.days_kept)
local dropped, left = 0, 0
local all = redis.call('HGETALL', KEY.sessions)
for i = 1, #all, 2 do
  local record = cjson.decode(all[i + 1])
  if record.end_day + days_kept < today and held() then
    drop_content(all[i])  -- a hold keeps identifiers, never content
    left = left + 1
  elseif record.end_day + days_kept < today then
    redis.call('HDEL', KEY.sessions, all[i])
    redis.call('ZREM', KEY.days, all[i])
    drop_content(all[i])
    set_timer(session_timer(all[i]), nil)
    dropped = dropped + 1
  else
    left = left + 1
  end
end
set_timer(TIMER.purge_sessions, left > 0 and now + LIFETIME.purge_every or nil)
update_agent_timer()
if dropped > 0 then append_entry({dropped = dropped}) end
return {'ok'}
