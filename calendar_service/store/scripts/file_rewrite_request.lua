#!lua flags=allow-oom
-- A value was erased, or a sealed token destroyed, and still stands in the database's files. The instant of the oldest request stays. Requests are
-- counted, so that one which comes during a rewrite is not taken for done.
-- keys: rewrite
-- args: none
-- answers: ok
--   ok: requested
-- use: clock
redis.call('HSETNX', KEY.rewrite, 'since', ms(now))
redis.call('HINCRBY', KEY.rewrite, 'requests', 1)
return {'ok'}
