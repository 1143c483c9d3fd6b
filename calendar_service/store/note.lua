#!lua flags=allow-oom
-- Note what has to be noted also without memory: that an organisation is closed.
redis.call('SET', KEYS[1], '1')
return {'ok'}
