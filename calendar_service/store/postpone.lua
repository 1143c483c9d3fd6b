#!lua flags=allow-oom
-- Look at one matter of this slot again later. A: what, after (ms; '' = never), when it was due ('' = whenever it is)
if redis.call('EXISTS', F) == 0 and redis.call('EXISTS', E) == 0 then
  redis.call('DEL', D)
  redis.call('ZREM', T, member)
  leave_index()
  return {'gone'}
end
-- What made it due meanwhile may be something that the work on it did not see any more.
if A[3] ~= '' and tonumber(redis.call('ZSCORE', D, A[1]) or '') ~= tonumber(A[3]) then return {'nudged'} end
wake_at(A[1], A[2] ~= '' and now + tonumber(A[2]) or nil)
if fact('grant') ~= '' then guard_expiry() end  -- a consent that is only begun keeps its own expiry
retime()
return {'ok'}
