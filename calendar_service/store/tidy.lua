#!lua flags=allow-oom
-- Identifiers of sessions long over are dropped (law 11).
-- A: this process's clock, days kept, tolerated difference of clocks (ms)
if math.abs(now - tonumber(A[1])) > tonumber(A[3]) then return {'clock'} end
local today, kept = math.floor(now / DAY), tonumber(A[2])
local dropped, left = 0, 0
local all = redis.call('HGETALL', S)
for i = 1, #all, 2 do
  local record = cjson.decode(all[i + 1])
  if record.over_day + kept < today and held() then
    redis.call('HDEL', W, all[i])  -- a hold keeps identifiers, never content
    left = left + 1
  elseif record.over_day + kept < today then
    redis.call('HDEL', S, all[i])
    redis.call('HDEL', W, all[i])
    wake_at('session:' .. all[i], nil)
    dropped = dropped + 1
  else
    left = left + 1
  end
end
wake_at('tidy', left > 0 and now + DAY or nil)
retime()
if dropped > 0 then journal({dropped = dropped}) end
return {'ok'}
