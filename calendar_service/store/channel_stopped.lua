#!lua flags=allow-oom
-- A channel is stopped at Google. A: connection, channel
if fact('connection_id') ~= A[1] then return {'gone'} end
local left = channels_left()
if not left[A[2]] then return {'gone'} end
left[A[2]] = nil
put_channels_left(left)
journal()
return {'ok'}
