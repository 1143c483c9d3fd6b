#!lua flags=allow-oom
-- Lease tokens of one caller's calls to one process. The bucket is a text: the instant (ms), and the tokens left then.
-- keys: tokens
-- args: burst seconds most
--   burst: how many tokens a full bucket holds
--   seconds: in how many seconds an empty one fills
--   most: at most so many are leased
-- returns: how many are leased, and how many are left
-- use: clock
local burst, per_ms = tonumber(arg.burst), tonumber(arg.burst) / (tonumber(arg.seconds) * LIFETIME.second)
local at, left = string.match(redis.call('GET', KEY.tokens) or '', '^(%d+) (.+)$')
at = plausible(tonumber(at) or 0, 0)
left = at > 0 and math.min(burst, tonumber(left) + (now - at) * per_ms) or burst
local count = math.min(tonumber(arg.most), math.floor(left))
left = left - count
redis.call('SET', KEY.tokens, ms(now) .. ' ' .. string.format('%.3f', left), 'PX', ms(math.ceil((burst - left) / per_ms)))
return {count, string.format('%.3f', left)}
