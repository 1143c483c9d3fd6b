#!lua flags=allow-oom
-- Google says that something changed: the calendar is looked at soon, once for many notifications.
-- A: channel, how soon (ms)
if fact('channel_id') ~= A[1] then return {'unknown'} end
local at = now + tonumber(A[2])
local due = tonumber(redis.call('ZSCORE', D, 'look') or '')
if due and due <= at then return {'due'} end
wake_at('look', at)
retime()
return {'ok'}
