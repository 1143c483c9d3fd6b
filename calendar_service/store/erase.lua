#!lua flags=allow-oom
-- Everything of the connection goes in one step; only an errand that has not ended stays, sealed (law 6, ST-5).
-- A: at its time or now, this process's clock, receipt number, receipt (JSON), tolerated difference of clocks (ms)
local timed, theirs = A[1] == 'due', tonumber(A[2])
local grant = fact('grant')
if grant == '' or grant == 'live' then return {'not_ended'} end
if timed then
  if math.abs(now - theirs) > tonumber(A[5]) then return {'clock'} end
  if instant('erase_due') > now then return {'early'} end
end
if held() then
  if timed then wake_at('erase', erasable_at()) end
  retime()
  return {'held'}
end
local late = now - instant('erase_due')
local sequence = instant('sequence') + 1
redis.call('DEL', F, G, S, W, D, L)
redis.call('SREM', X, member)
for _, id in ipairs(redis.call('HKEYS', E)) do wake_at('errand:' .. id, now) end
redis.call('HSET', R, A[3], A[4])
if listened then
  -- The one letter that outlives the connection: nothing in it leads to anybody.
  local letter = connection .. ':' .. ms(sequence)
  for _, key in ipairs({Z, ZD}) do
    redis.call('ZADD', key, ms(now), letter)
    redis.call('PEXPIREAT', key, ms(now + LETTERS_KEPT + DAY - offset))
  end
end
retime()
journal({receipt = A[3], late = timed and ms(late) or '0'})
return {'ok'}
