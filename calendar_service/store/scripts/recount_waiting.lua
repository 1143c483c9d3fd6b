#!lua flags=allow-oom
-- Put right what is counted of the agent's waiting content, and its part of the organization's sum.
-- keys: slot
-- args: none
-- answers: ok | corrected
--   ok: it was right
--   corrected: it was not
-- use: facts waiting
local bytes = 0
for _, content in ipairs(redis.call('HVALS', KEY.waiting)) do bytes = bytes + #content end
local wrong = bytes - instant('waiting_bytes')
if wrong == 0 then return {'ok'} end
count_waiting(0, wrong)
return {'corrected'}
