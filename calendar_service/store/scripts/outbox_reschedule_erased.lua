#!lua flags=allow-oom
-- The delivery of a `connection.erased` ended: remove the event, or set when it is sent again.
-- keys: erased erased_due
-- args: event again_at
--   event: the event, as connection, sequence and how many events were untold
--   again_at: the instant (ms, database time) of the next delivery; '' = never again
-- answers: ok
--   ok: done
if arg.again_at == '' then
  redis.call('ZREM', KEY.erased, arg.event)
  redis.call('ZREM', KEY.erased_due, arg.event)
else
  redis.call('ZADD', KEY.erased_due, 'XX', arg.again_at, arg.event)
end
return {'ok'}
