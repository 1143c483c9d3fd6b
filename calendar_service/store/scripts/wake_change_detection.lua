#!lua flags=allow-oom
-- Google notified that something changed: the worker looks for changes soon, once for all notifications until then.
-- keys: slot
-- args: channel
--   channel: the id of the channel that Google named
-- answers: ok | due | unknown
--   ok: due in ten seconds
--   due: it was due as soon already
--   unknown: this channel is not in force
-- use: clock facts timers
if fact('channel_id') ~= arg.channel then return {'unknown'} end
local due, at = due_at(TIMER.change_detection), now + LIFETIME.change_detection_after
if due > 0 and due <= at then return {'due'} end
set_timer(TIMER.change_detection, at)
update_agent_timer()
return {'ok'}
