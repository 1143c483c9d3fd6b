#!lua flags=allow-oom
-- Every server has rewritten its file since this request was leased. A value that was erased meanwhile may still stand in
-- one: then the request stays, as old as this lease. The pause until the next rewrite stays too.
-- keys: rewrite
-- args: number taken_at
--   number: how many requests there were when it was leased
--   taken_at: when it was leased (ms, database time)
-- answers: ok
--   ok: recorded
local state = redis.call('HMGET', KEY.rewrite, 'requests', 'since', 'rewritten_at')
local taken_at = tonumber(arg.taken_at)
if state[1] == arg.number then
  redis.call('HDEL', KEY.rewrite, 'since')
elseif state[2] and tonumber(state[2]) < taken_at then
  redis.call('HSET', KEY.rewrite, 'since', arg.taken_at)
end
if tonumber(state[3] or '0') < taken_at then redis.call('HSET', KEY.rewrite, 'rewritten_at', arg.taken_at) end
return {'ok'}
