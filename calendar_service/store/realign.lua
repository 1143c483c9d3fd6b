#!lua flags=allow-oom
-- What a clock that was ahead put far off, and that has been put right since, is looked at again now (RV-1, law 2).
-- Left alone are the ends that somebody was told or that a promise sets: erasures, holds, letters, waits for a person.
-- A: the longest that anything else is put off (ms)
local latest, moved = now + tonumber(A[1]), 0
local told = {erase = true, hold = true, letters = true}
local all = redis.call('ZRANGE', D, string.format('(%.0f', latest), '+inf', 'BYSCORE')
for _, what in ipairs(all) do
  local kind, name = string.match(what, '^([^:]*):?(.*)$')
  local record = kind == 'session' and session(name)
  if not told[kind] and not (record and record.status == 'waiting' and waits_for_person()) then
    wake_at(what, now)
    moved = moved + 1
  end
end
retime()
return {'ok', moved}
