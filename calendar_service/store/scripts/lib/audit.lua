-- use: clock facts
-- Read before anything is removed: an erasure still names the connection in its audit entry.
local connection = fact('connection_id')

-- Append the audit entry of this step. `more`: fields that only the script knows.
local function append_entry(more)
  local fields = cjson.decode(arg.entry)
  fields.connection = redis.call('HGET', KEY.facts, 'connection_id') or connection
  for key, value in pairs(more or {}) do fields[key] = value end
  redis.call('XADD', KEY.audit_log, '*', 'at', ms(now), 'entry', cjson.encode(fields))
end

-- Store the last act of the organization or the operator, which the settings page shows to the agent.
local function keep_admin_action()
  local fields = cjson.decode(arg.entry)
  if fields.actor == 'administrator' or fields.actor == 'operator' then
    put('last_admin_action', fields.kind .. ' ' .. fields.actor .. ' ' .. ms(now))
  end
end
