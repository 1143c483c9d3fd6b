#!lua flags=allow-oom
-- Lease the request for a rewrite of the files, for an hour. The request stays until every server has done one, so a worker
-- that dies leaves it to the next.
-- keys: rewrite
-- args: none
-- answers: ok | none
--   ok: leased; with how many requests there were, the oldest erasure that may still stand in a file, and the time (ms)
--   none: nothing is requested, or the last lease is less than an hour old
-- use: clock
local request = redis.call('HMGET', KEY.rewrite, 'requests', 'since', 'again_at')
if not request[2] or plausible(tonumber(request[3] or '0'), LIFETIME.file_rewrite_pause) > now then return {'none'} end
redis.call('HSET', KEY.rewrite, 'again_at', ms(now + LIFETIME.file_rewrite_pause))
return {'ok', request[1], request[2], ms(now)}
