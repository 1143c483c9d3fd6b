#!lua flags=allow-oom
-- Tell whether a call may go that Google may refuse to all replicas.
-- keys: flow
-- args: what pause
--   what: 'rejected' or 'unheard'
--   pause: the ms between two trial requests
-- answers: go | canary | wait
--   go: Google does not refuse it
--   canary: Google does, and this is the one trial request for now
--   wait: Google does
-- use: throttle
if number(arg.what) == 0 then return {'go'} end
return {admit_trial(arg.what .. '_canary', tonumber(arg.pause), 0) and 'canary' or 'wait'}
