#!lua flags=allow-oom
-- Another end for a link that is not over: what is over has been taken down and never comes back.
-- A: offset, digest of its secret, end (ms; one that has passed ends it now)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
local text = redis.call('HGET', KEYS[1], ARGV[2])
local link = text and cjson.decode(text)
if not link or link.ends <= now then return {'over'} end
link.ends = tonumber(ARGV[3])
redis.call('HSET', KEYS[1], ARGV[2], cjson.encode(link))
return {'ok'}
