#!lua flags=allow-oom
-- Work on one matter of a live connection begins: it is left alone for a while, and if who began dies, others go on.
-- A: what, for how long (ms)
if fact('grant') ~= 'live' then
  wake_at(A[1], nil)
  retime()
  return {'gone'}
end
local at = now + tonumber(A[2])
wake_at(A[1], at)
retime()
return {'ok', ms(at)}
