#!lua flags=allow-oom
-- Remove the announcement of a revocation: Google answered it, or its sender gave up.
-- keys: account_ref
-- args: none
-- answers: ok
--   ok: no revocation is announced
redis.call('HDEL', KEY.account_ref, 'revoking')
return {'ok'}
