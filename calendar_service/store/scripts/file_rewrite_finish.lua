#!lua flags=allow-oom
-- All files were rewritten since this request was taken; what was erased meanwhile may still stand in them.
-- keys: rewrite
-- args: number taken_at
--   number: how many requests there were when it was taken
--   taken_at: when it was taken (ms)
-- answers: ok
--   ok: noted
local requests = redis.call('HGET', KEY.rewrite, 'requests')
if requests == arg.number then
  redis.call('DEL', KEY.rewrite)
elseif requests then
  redis.call('HSET', KEY.rewrite, 'since', arg.taken_at)
  redis.call('HDEL', KEY.rewrite, 'again_at')
end
return {'ok'}
