#!lua flags=allow-oom
-- Set another end for a reviewer's link that has not ended: everything behind an ended link was erased for good.
-- keys: links
-- args: digest ends_at
--   digest: the hash of the link's secret
--   ends_at: its end (ms); one in the past ends it now
-- answers: ok | over
--   ok: set
--   over: it had ended before, or there is no such link
-- use: clock
local text = redis.call('HGET', KEY.links, arg.digest)
local link = text and cjson.decode(text)
if not link or link.ends <= now then return {'over'} end
link.ends = tonumber(arg.ends_at)
redis.call('HSET', KEY.links, arg.digest, cjson.encode(link))
return {'ok'}
