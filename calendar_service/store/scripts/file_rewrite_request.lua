#!lua flags=allow-oom
-- Something was erased: it still stands in the database's files. The oldest such instant stays; each request is counted, so
-- that one which comes during a rewrite is not taken for done.
-- keys: rewrite
-- args: none
-- answers: ok
--   ok: requested
-- use: clock
redis.call('HSETNX', KEY.rewrite, 'since', ms(now))
redis.call('HINCRBY', KEY.rewrite, 'requests', 1)
return {'ok'}
