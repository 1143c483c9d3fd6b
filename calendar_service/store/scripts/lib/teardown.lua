-- use: clock timers
-- Store a teardown under its connection's id, due at `at`: what is left to do at Google after the end of a connection (law
-- 6). Its token is destroyed by the database's own expiry after 8 days, should no worker run.
local function start_teardown(id, teardown, at)
  teardown.started, teardown.tries = ms(now), 0
  redis.call('HSET', KEY.teardowns, id, cjson.encode(teardown))
  redis.call('PEXPIREAT', KEY.teardowns, ms(now + LIFETIME.teardown_expiry - tonumber(arg.clock_offset)))
  set_timer(teardown_timer(id), at)
end

-- A connection uses this calendar again: a teardown that was still to delete it leaves it, because that choice is older.
local function spare_calendar(calendar)
  local teardowns = redis.call('HGETALL', KEY.teardowns)
  for i = 1, #teardowns, 2 do
    local teardown = cjson.decode(teardowns[i + 1])
    if teardown.delete_calendar and teardown.calendar_id == calendar then
      teardown.delete_calendar, teardown.calendar_id = false, ''
      redis.call('HSET', KEY.teardowns, teardowns[i], cjson.encode(teardown))
    end
  end
end
