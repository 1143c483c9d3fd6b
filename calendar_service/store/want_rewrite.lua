#!lua flags=allow-oom
-- Note that the append-only file has to be rewritten: also where an erasure was done without memory.
redis.call('SET', KEYS[1], '1')
return {'ok'}
