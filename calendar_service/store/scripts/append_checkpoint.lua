#!lua
-- Keep a signed checkpoint: one of each number, without a gap.
-- keys: checkpoints
-- args: number document
--   number: its number
--   document: the signed JSON object
-- answers: ok | moved
--   ok: it is kept
--   moved: another worker made the checkpoint of this number
local newest = redis.call('ZREVRANGE', KEY.checkpoints, 0, 0, 'WITHSCORES')[2]
if tonumber(newest or '0') ~= tonumber(arg.number) - 1 then return {'moved'} end
redis.call('ZADD', KEY.checkpoints, arg.number, arg.document)
return {'ok'}
