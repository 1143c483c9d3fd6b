-- use: facts
-- The content that waits until Google has it, and how much that is: `waiting_bytes` of the agent in the facts (how many
-- sessions, the hash itself tells), sessions and bytes of each organization in a hash of the shard. All go through here.
local function count_waiting(sessions, bytes)
  redis.call('HINCRBY', KEY.facts, 'waiting_bytes', bytes)
  local organization = string.match(arg.member, '^[^/]+')
  for _, change in ipairs({{'sessions', sessions}, {'bytes', bytes}}) do
    local field = organization .. '/' .. change[1]
    if redis.call('HINCRBY', KEY.waiting_load, field, change[2]) <= 0 then redis.call('HDEL', KEY.waiting_load, field) end
  end
end

local function put_content(name, content)
  local before = redis.call('HSTRLEN', KEY.waiting, name)
  redis.call('HSET', KEY.waiting, name, content)
  count_waiting(before == 0 and 1 or 0, #content - before)
end

local function drop_content(name)
  local before = redis.call('HSTRLEN', KEY.waiting, name)
  if before == 0 then return end
  redis.call('HDEL', KEY.waiting, name)
  count_waiting(-1, -before)
end

local function drop_all_content()
  local sessions = redis.call('HLEN', KEY.waiting)
  if sessions == 0 then return end
  redis.call('DEL', KEY.waiting)
  count_waiting(-sessions, -instant('waiting_bytes'))
end
