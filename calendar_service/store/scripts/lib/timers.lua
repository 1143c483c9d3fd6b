-- use: clock facts audit holds
-- The timers of one agent. A timer is a kind, or a kind and a name: `session:<name>`, `teardown:<connection id>`.
local function session_timer(name) return TIMER.session .. ':' .. name end

local function teardown_timer(id) return TIMER.teardown .. ':' .. id end

local function due_at(timer) return tonumber(redis.call('ZSCORE', KEY.due, timer) or '0') end

local function set_timer(timer, at)
  if at then redis.call('ZADD', KEY.due, ms(at), timer) else redis.call('ZREM', KEY.due, timer) end
end

-- The slot is gone, so the agent's name leaves the organization's index. If the name was still there, no erasure removed the
-- slot but the database's own expiry, and an audit entry says so.
local function leave_index()
  if redis.call('SREM', KEY.index, arg.member) == 1 then
    append_entry({kind = 'connection.expired', actor = 'service'})
  end
end

-- Set by when something of the agent has to be gone at the latest: the erasure of an ended connection, the token of a
-- teardown. The timers do not say it: a worker that fails moves them ahead.
local function update_erasure_deadline()
  local deadlines = {}
  if instant('end_erase_due') > 0 then table.insert(deadlines, erasable_at()) end
  for _, text in ipairs(redis.call('HVALS', KEY.teardowns)) do
    table.insert(deadlines, cjson.decode(text).started + LIFETIME.teardown_max)
  end
  if #deadlines > 0 then
    redis.call('ZADD', KEY.erasure_deadlines, ms(math.min(unpack(deadlines))), arg.member)
  else
    redis.call('ZREM', KEY.erasure_deadlines, arg.member)
  end
end

-- Set the agent's one entry in the shard's timers to the earliest of its timers: the last step of every script that moves
-- one. If only teardowns are left (after an erasure, or after the database's own expiry), the agent's name leaves the index,
-- and the teardowns are due.
local function update_agent_timer()
  if redis.call('EXISTS', KEY.facts) == 0 then
    leave_index()
    if redis.call('EXISTS', KEY.due) == 0 then
      for _, id in ipairs(redis.call('HKEYS', KEY.teardowns)) do set_timer(teardown_timer(id), now) end
    end
  end
  local first = redis.call('ZRANGE', KEY.due, 0, 0, 'WITHSCORES')
  if first[1] then
    redis.call('ZADD', KEY.timers, first[2], arg.member)
  else
    redis.call('ZREM', KEY.timers, arg.member)
  end
  update_erasure_deadline()
end
