#!lua flags=allow-oom
-- Tell whether a call may go that Google may refuse to all replicas.
-- keys: throttle
-- args: what pause
--   what: 'rejected' or 'unheard'
--   pause: the ms between two trial requests
-- answers: go | trial_request | wait
--   go: Google does not refuse it
--   trial_request: Google does, and this is the one trial request for now
--   wait: Google does
-- use: throttle
if number(arg.what) == 0 then return {'go'} end
return {admit_trial(arg.what .. '_trial', tonumber(arg.pause), 0) and 'trial_request' or 'wait'}
