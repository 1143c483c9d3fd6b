#!lua flags=allow-oom
-- A: offset
redis.call('HDEL', KEYS[1], 'revoking')
return {0}
