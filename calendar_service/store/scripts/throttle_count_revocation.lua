#!lua flags=allow-oom
-- A permission ended at Google: count it, and how many of the last week ended at seven days of age, as all do of a project in
-- testing mode. They are a cluster if they are three and half of all.
-- keys: deaths
-- args: name at_seven_days
--   name: a random name
--   at_seven_days: '1' = the permission was seven days old
-- answers: ok | suspected
--   ok: counted; with how many ended at seven days of age
--   suspected: with this one they are a cluster; with how many ended at seven days of age
-- use: clock
local function suspected()
  local names, sevens = redis.call('ZRANGE', KEY.deaths, 0, -1), 0
  for _, name in ipairs(names) do
    if string.sub(name, 1, 1) == '7' then sevens = sevens + 1 end
  end
  return sevens >= 3 and sevens * 2 >= #names, sevens
end
redis.call('ZREMRANGEBYSCORE', KEY.deaths, '-inf', ms(now - LIFETIME.deaths_counted))
local before = suspected()
redis.call('ZADD', KEY.deaths, ms(now), (arg.at_seven_days == '1' and '7' or '0') .. arg.name)
redis.call('PEXPIRE', KEY.deaths, LIFETIME.deaths_expiry)
local after, sevens = suspected()
return {after and not before and 'suspected' or 'ok', sevens}
