-- use: clock facts
-- A legal hold moves the erasure of identifiers to its end, and nothing else (law 7).
local function held() return instant('hold_until') > now end

local function erasable_at() return math.max(instant('end_erase_due'), instant('hold_until')) end

-- The connection's calendar is replaced by another one: under a hold its identifier is kept.
local function keep_held_calendar()
  local id = fact('calendar_id')
  if id ~= '' and held() then put('hold_calendars', fact('hold_calendars') .. id .. ' ') end
end

-- Return the retention period (ms) from the end of a connection to its erasure: the operator's, or the agent's own if that
-- is shorter.
local function retention(operators_ms)
  local own = instant('end_agent_retention')
  return own > 0 and math.min(own, operators_ms) or operators_ms
end

-- Set the database's own expiry of the slot, a day after its erasure is due, in case no worker runs any more (law 7); remove
-- it while no erasure is due. A day is counted from now where the erasure is overdue, as after a hold: the worker comes first,
-- because an expiry writes no receipt. Expiry follows the database's real clock, so the test clock's offset is subtracted.
local function guard_expiry()
  local due = instant('end_erase_due') > 0 and erasable_at() or 0
  for _, key in ipairs({KEY.facts, KEY.grant, KEY.sessions, KEY.days, KEY.waiting, KEY.due, KEY.outbox}) do
    if due > 0 then
      redis.call('PEXPIREAT', key, ms(math.max(due, now) + LIFETIME.expiry_behind_erasure - tonumber(arg.clock_offset)))
    else
      redis.call('PERSIST', key)
    end
  end
end
