#!lua flags=allow-oom
-- Take the announcement of a revocation back: it was answered, or given up.
-- keys: account_ref
-- args: none
-- answers: ok
--   ok: none is announced
redis.call('HDEL', KEY.account_ref, 'revoking')
return {'ok'}
