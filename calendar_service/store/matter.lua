#!lua flags=allow-oom
-- Work on one matter of a live connection begins, or has ended. A: what, when it is due as its beginning left it
-- ('' = it begins), next after (ms; '' = never). Who begins is left alone for a while; if he ends, others go on.
if fact('grant') ~= 'live' then
  wake_at(A[1], nil)
  retime()
  return {'gone'}
end
-- What made it due meanwhile may be something that this work did not see any more.
if A[2] ~= '' and tonumber(redis.call('ZSCORE', D, A[1]) or '') ~= tonumber(A[2]) then return {'nudged'} end
local at = A[3] ~= '' and now + tonumber(A[3]) or nil
wake_at(A[1], at)
retime()
return {'ok', ms(at or 0)}
