#!lua flags=allow-oom
-- Store the agent's own retention period, which counts when the connection ends. Works without memory.
-- keys: slot
-- args: retention
--   retention: the period (ms); 0 = the operator's
-- answers: ok | unchanged | not_connected
--   ok: stored
--   unchanged: it was so before
--   not_connected: there is no live connection
-- use: facts audit
if fact('grant_state') ~= 'live' then return {'not_connected'} end
if instant('end_agent_retention') == tonumber(arg.retention) then return {'unchanged'} end
put('end_agent_retention', arg.retention)
append_entry({term = arg.retention})
return {'ok'}
