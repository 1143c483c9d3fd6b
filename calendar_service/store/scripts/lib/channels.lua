-- use: clock facts timers
-- Google's channels. The one whose notifications count stands in the shard's index; those that have to be stopped at
-- Google stand in `channels_left`, resource by channel id.
local function channels_left()
  local kept = fact('channels_left')
  return kept ~= '' and cjson.decode(kept) or {}
end

local function put_channels_left(channels)
  if next(channels) then
    put('channels_left', cjson.encode(channels))
  else
    redis.call('HDEL', KEY.facts, 'channels_left')
  end
end

-- From here on nobody listens to the channel. Return what has to be stopped at Google, by the channel's id.
local function close_channel()
  local channels, id = channels_left(), fact('channel_id')
  if id ~= '' then
    redis.call('HDEL', KEY.channels, id)
    channels[id] = fact('channel_resource')
  end
  redis.call('HDEL', KEY.facts, 'channel_id', 'channel_resource', 'channel_renew_at', 'channels_left')
  set_timer(TIMER.channel, nil)
  set_timer(TIMER.change_detection, nil)
  return channels
end

-- A calendar stands: the worker asks Google for notifications now, and looks for changes after `first` ms.
local function watch_calendar(first)
  set_timer(TIMER.channel, now)
  set_timer(TIMER.change_detection, now + first)
end
