#!lua flags=allow-oom
-- Set a flag also when the database is out of memory: that an organization is closed.
-- keys: flag
-- args: none
-- answers: ok
--   ok: it is set
redis.call('SET', KEY.flag, '1')
return {'ok'}
