#!lua flags=allow-oom
-- Append an audit entry that belongs to no connection.
-- keys: journal
-- args: entry
--   entry: the entry (JSON)
-- answers: ok
--   ok: it is written
-- use: clock
redis.call('XADD', KEY.journal, '*', 'at', ms(now), 'entry', arg.entry)
return {'ok'}
