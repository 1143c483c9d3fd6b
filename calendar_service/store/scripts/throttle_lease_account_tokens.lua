#!lua flags=allow-oom
-- Lease tokens of one Google account's rate budget, which lies in a key of its own.
-- keys: throttle
-- args: rate least most
--   rate: tokens a minute; as many may be used at once
--   least: at least so many, or none
--   most: at most so many
-- returns: how many are leased
-- use: throttle
local units = lease_tokens('account', tonumber(arg.rate), tonumber(arg.rate), tonumber(arg.least), tonumber(arg.most))
redis.call('PEXPIRE', KEY.throttle, LIFETIME.account_budget)
return {units}
