#!lua flags=allow-oom
-- Append an audit entry that belongs to no connection.
-- keys: audit_log
-- args: entry
--   entry: the entry (JSON)
-- answers: ok
--   ok: written
-- use: clock
redis.call('XADD', KEY.audit_log, '*', 'at', ms(now), 'entry', arg.entry)
return {'ok'}
