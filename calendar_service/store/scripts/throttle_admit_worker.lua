#!lua flags=allow-oom
-- Tell whether the worker may make a call at Google now.
-- keys: throttle
-- args: cost rate least_rate pause patience
--   cost: the units of the call; 0 = it counts towards no rate
--   rate: units a minute that the worker may use
--   least_rate: units a minute that a backlog may always use
--   pause: the ms between two trial requests while the breaker is open
--   patience: for how many ms a due trial request is left to others first
-- answers: go | trial_request | wait
--   go: it may
--   trial_request: the breaker is open, and this call may find out whether Google answers
--   wait: the breaker is open, or the rate is used up
-- use: throttle
local cost = tonumber(arg.cost)
if number('breaker_opened_at') > 0 then
  local admitted = admit_trial('breaker_next_trial', tonumber(arg.pause), tonumber(arg.patience))
  return {admitted and 'trial_request' or 'wait'}
end
if cost == 0 then return {'go'} end
-- A backlog drains at 1.5 times the usual load.
local rate = math.min(tonumber(arg.rate), math.max(tonumber(arg.least_rate), 1.5 * count_demand(0))) * level() / 1000
return {spend_tokens('drain', rate, math.max(3, rate / 6), cost) and 'go' or 'wait'}
