#!lua flags=allow-oom
-- Make timers due now that lie further ahead than any may: a clock that was ahead set them, and was put right since (RV-1,
-- law 2). Deadlines promised to somebody stay: those of the kinds in `fixed`, and waits for a person.
-- keys: slot
-- args: fixed...
--   fixed: the kinds of timers that stay
-- answers: ok
--   ok: done; with how many timers were reset
-- use: clock timers sessions
local fixed, reset = {}, 0
for _, kind in ipairs(arg.fixed) do fixed[kind] = true end
local far = redis.call('ZRANGE', KEY.due, '(' .. ms(now + LIFETIME.put_off_max), '+inf', 'BYSCORE')
for _, timer in ipairs(far) do
  local kind, name = string.match(timer, '^([^:]*):?(.*)$')
  local record = kind == TIMER.session and session(name)
  if not fixed[kind] and not (record and record.status == 'waiting' and waits_for_person()) then
    set_timer(timer, now)
    reset = reset + 1
  end
end
update_agent_timer()
return {'ok', reset}
