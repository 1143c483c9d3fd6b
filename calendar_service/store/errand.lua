#!lua flags=allow-oom
-- The closing errand made a step, or ended. A: connection, errand as it shall be ('' = ended), outcome, next due,
-- what became of the calendar ('' = it was not to be deleted)
local id, text, outcome = A[1], A[2], A[3]
local stands = redis.call('HGET', E, id)
if not stands then return {'gone'} end
if text == '' then
  redis.call('HDEL', E, id)
  wake_at('errand:' .. id, nil)
  -- Facts of a later connection, or of none, stay untouched.
  if fact('connection_id') == id then
    if outcome ~= fact('revocation') then put('revocation', outcome, 'revocation_at', ms(now)) end
    if A[5] ~= '' then put('calendar_fate', A[5]) end
  end
else
  -- The token stays as it stands: it may have been sealed under another key meanwhile. So does a calendar that a
  -- connection has taken up.
  local errand = cjson.decode(text)
  stands = cjson.decode(stands)
  errand.grant = stands.grant
  if not stands.delete_calendar then errand.delete_calendar, errand.calendar_id = false, '' end
  redis.call('HSET', E, id, cjson.encode(errand))
  wake_at('errand:' .. id, now + tonumber(A[4]))
end
retime()
journal({connection = id, outcome = outcome})
return {'ok'}
