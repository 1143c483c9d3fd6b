-- use: clock facts timers
-- Google's channels. The channel in force stands in the shard's index. Those that have to be stopped at Google stand in
-- `channel_to_stop`: the resource by the channel's id.
local function channels_to_stop()
  local text = fact('channel_to_stop')
  return text ~= '' and cjson.decode(text) or {}
end

local function put_channels_to_stop(channels)
  if next(channels) then
    put('channel_to_stop', cjson.encode(channels))
  else
    redis.call('HDEL', KEY.facts, 'channel_to_stop')
  end
end

-- No notification of the channel causes anything from here on. Return the channels that have to be stopped at Google: the
-- resource by the channel's id.
local function close_channel()
  local channels, id = channels_to_stop(), fact('channel_id')
  if id ~= '' then
    redis.call('HDEL', KEY.channels, id)
    channels[id] = fact('channel_resource')
  end
  redis.call('HDEL', KEY.facts, 'channel_id', 'channel_resource', 'channel_renew_at', 'channel_to_stop')
  set_timer(TIMER.channel, nil)
  set_timer(TIMER.change_detection, nil)
  return channels
end

-- A calendar stands: the worker opens a channel now, and looks for changes after `first` ms.
local function watch_calendar(first)
  set_timer(TIMER.channel, now)
  set_timer(TIMER.change_detection, now + first)
end
