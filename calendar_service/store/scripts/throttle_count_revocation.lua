#!lua flags=allow-oom
-- A permission ended at Google: count it for a week.
-- keys: deaths
-- args: name
--   name: a random name; it begins with '7' if the permission was seven days old
-- returns: how many of the last week were seven days old, and how many there are in all
-- use: clock
redis.call('ZREMRANGEBYSCORE', KEY.deaths, '-inf', ms(now - LIFETIME.deaths_counted))
redis.call('ZADD', KEY.deaths, ms(now), arg.name)
redis.call('PEXPIRE', KEY.deaths, LIFETIME.deaths_expiry)
local names, at_seven_days = redis.call('ZRANGE', KEY.deaths, 0, -1), 0
for _, name in ipairs(names) do
  if string.sub(name, 1, 1) == '7' then at_seven_days = at_seven_days + 1 end
end
return {at_seven_days, #names}
