#!lua flags=allow-oom
-- Lease tokens of one Google account's rate budget, which lies in a key of its own.
-- keys: throttle
-- args: rate least wanted
--   rate: tokens a minute; as many may be used at once
--   least: at least so many, or none
--   wanted: at most so many
-- returns: how many are leased, whether less than half of the burst is left (1 or 0), and the epoch
-- use: throttle
local given, low, epoch = lease_tokens('account', tonumber(arg.rate), tonumber(arg.rate), tonumber(arg.least),
  tonumber(arg.wanted))
redis.call('PEXPIRE', KEY.throttle, LIFETIME.account_budget)
return {given, low, epoch}
