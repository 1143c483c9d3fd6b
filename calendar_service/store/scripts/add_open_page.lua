#!lua
-- Add a link or a page to the list of what an agent has open, and take out what has expired.
-- keys: open_pages
-- args: page lifetime
--   page: the key of the link's or the page's record
--   lifetime: how long (ms) the record can live at most
-- answers: ok
--   ok: listed
-- use: clock
local lifetime = tonumber(arg.lifetime)
redis.call('ZREMRANGEBYSCORE', KEY.open_pages, '-inf', ms(now))
redis.call('ZADD', KEY.open_pages, ms(now + lifetime), arg.page)
if redis.call('PTTL', KEY.open_pages) < lifetime then redis.call('PEXPIRE', KEY.open_pages, lifetime) end
return {'ok'}
