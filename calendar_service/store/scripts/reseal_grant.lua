#!lua
-- Replace one sealed grant by the same grant under the current key-encryption key, unless another one stands by now.
-- keys: slot
-- args: teardown before after
--   teardown: the connection whose teardown holds the grant; '' = the slot's own
--   before: the sealed grant as it was read
--   after: the sealed grant as it shall be
-- answers: ok | newer
--   ok: replaced
--   newer: another one stands by now
if arg.teardown == '' then
  if redis.call('GET', KEY.grant) ~= arg.before then return {'newer'} end
  redis.call('SET', KEY.grant, arg.after, 'KEEPTTL')
else
  local text = redis.call('HGET', KEY.teardowns, arg.teardown)
  local teardown = text and cjson.decode(text)
  if not teardown or teardown.grant ~= arg.before then return {'newer'} end
  teardown.grant = arg.after
  redis.call('HSET', KEY.teardowns, arg.teardown, cjson.encode(teardown))
end
return {'ok'}
