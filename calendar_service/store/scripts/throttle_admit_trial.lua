#!lua flags=allow-oom
-- Tell whether a call may go that Google may refuse to all replicas.
-- keys: throttle
-- args: refused pause
--   refused: 'credentials' or 'notifications'
--   pause: the ms between two trial requests
-- answers: go | trial_request | wait
--   go: Google does not refuse it
--   trial_request: Google refuses it, and this call may ask again
--   wait: Google refuses it, and a trial request is not due yet
-- use: throttle
if number(arg.refused .. '_refused_at') == 0 then return {'go'} end
return {admit_trial(arg.refused .. '_next_trial', tonumber(arg.pause), 0) and 'trial_request' or 'wait'}
