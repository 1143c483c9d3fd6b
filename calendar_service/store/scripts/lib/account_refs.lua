-- An account's reference set. The field `revoking` is the end of an announced revocation's deadline, `granted` counts the
-- refresh tokens that Google gave for the account while connections used it. Every other field is a connection: the instant at
-- which it joined, and the number of its newest token in that count.

-- Remove a connection, and the count with the last one; return how many connections are left.
local function remove_connection(id)
  redis.call('HDEL', KEY.account_ref, id)
  local left = redis.call('HLEN', KEY.account_ref)
  for _, field in ipairs({'revoking', 'granted'}) do left = left - redis.call('HEXISTS', KEY.account_ref, field) end
  if left == 0 then redis.call('HDEL', KEY.account_ref, 'granted') end
  return left
end
