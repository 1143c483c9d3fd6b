#!lua flags=allow-oom
-- Lease tokens of the rate budget for requests.
-- keys: throttle
-- args: rate burst least most accepted
--   rate: tokens a minute
--   burst: how many may be used at once
--   least: at least so many, or none
--   most: at most so many
--   accepted: units of operations accepted since the last time
-- returns: how many are leased, and whether less than half of the burst is left (1 or 0)
-- use: throttle
count_demand(tonumber(arg.accepted))
local share = level() / 1000
return {lease_tokens('inline', tonumber(arg.rate) * share, tonumber(arg.burst) * share, tonumber(arg.least),
  tonumber(arg.most))}
