#!lua
-- Store a signed checkpoint: one of each number, without a gap.
-- keys: checkpoints
-- args: number document
--   number: its number
--   document: the signed JSON object
-- answers: ok | moved
--   ok: stored
--   moved: the newest checkpoint is not the one before this number: another worker was faster
local newest = redis.call('ZREVRANGE', KEY.checkpoints, 0, 0, 'WITHSCORES')[2]
if tonumber(newest or '0') ~= tonumber(arg.number) - 1 then return {'moved'} end
redis.call('ZADD', KEY.checkpoints, arg.number, arg.document)
return {'ok'}
