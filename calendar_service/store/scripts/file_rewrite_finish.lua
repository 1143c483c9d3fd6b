#!lua flags=allow-oom
-- Every server has rewritten its file since this request was leased. A value that was erased meanwhile may still stand in
-- one: then the request stays, as old as this lease.
-- keys: rewrite
-- args: number taken_at
--   number: how many requests there were when it was leased
--   taken_at: when it was leased (ms, database time)
-- answers: ok
--   ok: recorded
local requests = redis.call('HGET', KEY.rewrite, 'requests')
if requests == arg.number then
  redis.call('DEL', KEY.rewrite)
elseif requests then
  redis.call('HSET', KEY.rewrite, 'since', arg.taken_at)
  redis.call('HDEL', KEY.rewrite, 'again_at')
end
return {'ok'}
