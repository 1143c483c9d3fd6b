#!lua flags=allow-oom
-- Record what Google refuses to this connection as a whole, or that it refuses nothing any more.
-- keys: slot
-- args: connection_id cause
--   connection_id: the connection whose call Google answered
--   cause: who has to act, or which limit holds (`BlockCause`); '' = Google serves it again
-- answers: ok | begun | gone
--   ok: recorded, or known before
--   begun: recorded; this cause did not stand before
--   gone: the connection ended
-- use: clock facts
if not is_live(arg.connection_id) then return {'gone'} end
if arg.cause == '' then
  redis.call('HDEL', KEY.facts, 'block_cause', 'block_since')
  return {'ok'}
end
if fact('block_cause') == arg.cause then return {'ok'} end
put('block_cause', arg.cause, 'block_since', ms(now))
return {'begun'}
