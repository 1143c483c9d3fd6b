#!lua flags=allow-oom
-- Google stopped a channel: remove it from those that have to be stopped.
-- keys: slot
-- args: connection_id channel
--   connection_id: the connection whose channel it was
--   channel: the channel's id
-- answers: ok | gone
--   ok: removed
--   gone: the connection ended, or the channel is not one that has to be stopped
-- use: facts audit channels
if fact('connection_id') ~= arg.connection_id then return {'gone'} end
local left = channels_to_stop()
if not left[arg.channel] then return {'gone'} end
left[arg.channel] = nil
put_channels_to_stop(left)
append_entry()
return {'ok'}
