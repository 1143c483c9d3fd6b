#!lua flags=allow-oom
-- All files were written anew since this wish was taken; what was erased meanwhile may still stand in them.
-- KEYS: rewrite. A: offset, wishes when it was taken, when that was
local wishes = redis.call('HGET', KEYS[1], 'wishes')
if wishes == ARGV[2] then
  redis.call('DEL', KEYS[1])
elseif wishes then
  redis.call('HSET', KEYS[1], 'since', ARGV[3])
  redis.call('HDEL', KEYS[1], 'again_at')
end
return {'ok'}
