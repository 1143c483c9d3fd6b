#!lua flags=allow-oom
-- One worker begins a rewrite, if one is wanted and nobody else is at it; the wish stays until it is known to be done.
-- KEYS: rewrite. A: offset, for how long nobody else begins (ms)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
local pause = tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'wishes', 'since', 'again_at')
local again = tonumber(kept[3] or '0')
-- A later one was set by a clock since put right.
if not kept[1] or (now < again and again <= now + pause) then return {} end
redis.call('HSET', KEYS[1], 'again_at', string.format('%.0f', now + pause))
return {kept[1], kept[2], string.format('%.0f', now)}
