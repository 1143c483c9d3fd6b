#!lua
-- Store a signed checkpoint with its details: one of each number, without a gap.
-- keys: checkpoints checkpoint_details
-- args: number note details
--   number: its number
--   note: the signed note
--   details: the JSON object whose hash the note states
-- answers: ok | moved
--   ok: stored
--   moved: the newest checkpoint is not the one before this number: another worker was faster
local newest = redis.call('ZREVRANGE', KEY.checkpoints, 0, 0, 'WITHSCORES')[2]
if tonumber(newest or '0') ~= tonumber(arg.number) - 1 then return {'moved'} end
redis.call('ZADD', KEY.checkpoints, arg.number, arg.note)
redis.call('HSET', KEY.checkpoint_details, arg.number, arg.details)
return {'ok'}
