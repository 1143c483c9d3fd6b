#!lua flags=allow-oom
-- One worker begins a rewrite of the files, if one is requested and nobody else is at it; the request stays until it is known
-- to be done.
-- keys: rewrite
-- args: none
-- answers: ok | none
--   ok: with how many requests there were, the oldest erasure that may still stand in a file, and the database's time (ms)
--   none: nothing is requested, or another worker is at it
-- use: clock
local kept = redis.call('HMGET', KEY.rewrite, 'requests', 'since', 'again_at')
if not kept[1] or plausible(tonumber(kept[3] or '0'), LIFETIME.file_rewrite_pause) > now then return {'none'} end
redis.call('HSET', KEY.rewrite, 'again_at', ms(now + LIFETIME.file_rewrite_pause))
return {'ok', kept[1], kept[2], ms(now)}
