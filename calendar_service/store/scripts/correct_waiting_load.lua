#!lua flags=allow-oom
-- Put right the sums of one organization in a shard, unless they changed since the caller read them: then what it counted
-- meanwhile is old.
-- keys: waiting_load
-- args: organization loaded_sessions loaded_bytes sessions bytes
--   organization: its name
--   loaded_sessions: how many sessions wait, as the caller read it before it counted
--   loaded_bytes: likewise how many bytes
--   sessions: how many it counted
--   bytes: how many it counted
-- answers: ok | moved
--   ok: done
--   moved: they changed meanwhile, so nothing is written
local function sum(kind) return redis.call('HGET', KEY.waiting_load, arg.organization .. '/' .. kind) or '0' end
if sum('sessions') ~= arg.loaded_sessions or sum('bytes') ~= arg.loaded_bytes then return {'moved'} end
for kind, value in pairs({sessions = arg.sessions, bytes = arg.bytes}) do
  local field = arg.organization .. '/' .. kind
  if value == '0' then redis.call('HDEL', KEY.waiting_load, field) else redis.call('HSET', KEY.waiting_load, field, value) end
end
return {'ok'}
