#!lua flags=allow-oom
-- A hold is released, or over: the erasure takes its course again, at once if its time has come. A: released or over
if instant('hold_until') == 0 then return {'none'} end
if A[1] == 'over' and held() then return {'early'} end
redis.call('HDEL', F, 'hold', 'hold_until', 'hold_told_from', 'held_calendars')
wake_at('hold', nil)
if instant('erase_due') > 0 then wake_at('erase', instant('erase_due')) end
guard_expiry()
retime()
journal()
return {'ok'}
