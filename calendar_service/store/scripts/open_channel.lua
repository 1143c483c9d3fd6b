#!lua
-- Google opened a channel: put it in force, and have the former one stopped.
-- keys: slot
-- args: connection_id calendar channel resource renew_at
--   connection_id: the connection whose token opened it
--   calendar: Google's id of the calendar that the channel watches
--   channel: the channel's id
--   resource: Google's id of what the channel watches
--   renew_at: the instant (ms, the process's clock) at which it is renewed
-- answers: ok | gone
--   ok: it is in force; the worker stops the former one
--   gone: its connection or calendar is not in use any more, so the worker or the teardown stops it
-- use: clock facts audit timers channels
local id = arg.connection_id
if is_live(id) then
  local stands = instant('calendar_since') > 0 and fact('calendar_id') == arg.calendar
  local left = channels_to_stop()
  if stands then
    local before = fact('channel_id')
    if before ~= '' then
      redis.call('HDEL', KEY.channels, before)
      left[before] = fact('channel_resource')
    end
    redis.call('HSET', KEY.channels, arg.channel, arg.member)
    put('channel_id', arg.channel, 'channel_resource', arg.resource, 'channel_renew_at', arg.renew_at)
  else
    left[arg.channel] = arg.resource
  end
  put_channels_to_stop(left)
  if next(left) then set_timer(TIMER.channel, now) end
  update_agent_timer()
  append_entry()
  return {stands and 'ok' or 'gone'}
end
-- The connection ended while Google opened the channel: only its teardown can still stop it.
local teardown = redis.call('HGET', KEY.teardowns, id)
if teardown then
  teardown = cjson.decode(teardown)
  teardown.channels[arg.channel] = arg.resource
  redis.call('HSET', KEY.teardowns, id, cjson.encode(teardown))
  append_entry({connection = id})
end
return {'gone'}
