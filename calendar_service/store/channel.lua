#!lua
-- Google notifies us through a new channel. A: connection, calendar, channel, resource, when to renew it
local id, channel, resource = A[1], A[3], A[4]
if fact('connection_id') == id and fact('grant') == 'live' then
  local stands = instant('calendar_since') > 0 and fact('calendar_id') == A[2]
  local left = channels_left()
  if stands then
    local before = fact('channel_id')
    if before ~= '' then
      redis.call('HDEL', K, before)
      left[before] = fact('channel_resource')
    end
    redis.call('HSET', K, channel, member)
    put('channel_id', channel, 'channel_resource', resource, 'channel_renew_at', A[5])
  else
    left[channel] = resource
  end
  put_channels_left(left)
  if next(left) then wake_at('channel', now) end
  retime()
  journal()
  return {stands and 'ok' or 'gone'}
end
-- The connection ended while Google was asked: its errand is the only one that can still stop the channel.
local errand = redis.call('HGET', E, id)
if errand then
  errand = cjson.decode(errand)
  errand.channels[channel] = resource
  redis.call('HSET', E, id, cjson.encode(errand))
  journal({connection = id})
end
return {'gone'}
