#!lua flags=allow-oom
-- How the telling of an erasure ended. A: offset, letter, next try at (ms; '' = never again)
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
  redis.call('ZREM', KEYS[2], ARGV[2])
else
  redis.call('ZADD', KEYS[2], 'XX', ARGV[3], ARGV[2])
end
return {0}
