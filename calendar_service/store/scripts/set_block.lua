#!lua flags=allow-oom
-- Record what Google refuses to this connection as a whole, or that it refuses nothing any more: what waited is then due now.
-- keys: slot
-- args: connection_id cause
--   connection_id: the connection whose call Google answered
--   cause: who has to act, or which limit holds (`BlockCause`); '' = Google serves it again
-- answers: ok | begun | gone
--   ok: recorded, or known before
--   begun: recorded; this cause did not stand before
--   gone: the connection ended
-- use: clock facts timers sessions
if not is_live(arg.connection_id) then return {'gone'} end
if arg.cause == '' then
  -- Of several calls that find the block ended, the first wakes the sessions, whose waits have grown to hours.
  if redis.call('HDEL', KEY.facts, 'block_cause', 'block_since') == 0 then return {'ok'} end
  wake_unsettled()
  update_agent_timer()
  return {'ok'}
end
if fact('block_cause') == arg.cause then return {'ok'} end
put('block_cause', arg.cause, 'block_since', ms(now))
return {'begun'}
