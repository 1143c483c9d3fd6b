#!lua flags=allow-oom
-- Erase everything of an ended connection in one step, and store the receipt. Only teardowns that have not ended stay, with
-- their sealed tokens; they are due at once (law 6, ST-5).
-- keys: slot
-- args: mode process_now receipt_number receipt
--   mode: 'due' = only if its term is over; 'now' = at once
--   process_now: the instant (ms) by the caller's clock
--   receipt_number: the number of the receipt
--   receipt: the signed receipt (JSON)
-- answers: ok | not_ended | clock | early | held
--   ok: erased
--   not_ended: the connection stands, or there is none
--   clock: the clocks of caller and database disagree, so nothing was done
--   early: its term is not over
--   held: a legal hold stands; with 'due' the timer is moved to the end of the hold
-- use: clock facts audit timers holds waiting
local timed = arg.mode == 'due'
local grant = fact('grant_state')
if grant == '' or grant == 'live' then return {'not_ended'} end
if timed then
  if not clocks_agree(arg.process_now) then return {'clock'} end
  if instant('end_erase_due') > now then return {'early'} end
end
if held() then
  if timed then set_timer(TIMER.erase, erasable_at()) end
  update_agent_timer()
  return {'held'}
end
local late = now - instant('end_erase_due')
local sequence, untold = instant('webhooks_sequence') + 1, redis.call('ZCARD', KEY.outbox)
drop_all_content()
redis.call('DEL', KEY.facts, KEY.grant, KEY.sessions, KEY.days, KEY.due, KEY.outbox)
redis.call('SREM', KEY.index, arg.member)
for _, id in ipairs(redis.call('HKEYS', KEY.teardowns)) do set_timer(teardown_timer(id), now) end
redis.call('HSET', KEY.receipts, arg.receipt_number, arg.receipt)
if arg.webhooks == '1' then
  -- The one webhook event that outlives the connection. It has only the connection's random id, which leads to nobody, and
  -- how many events are erased with it that the receiver has not confirmed.
  local event = connection .. ':' .. ms(sequence) .. ':' .. ms(untold)
  local expiry = now + LIFETIME.outbox_kept + LIFETIME.expiry_behind_erasure - tonumber(arg.clock_offset)
  for _, key in ipairs({KEY.erased, KEY.erased_due}) do
    redis.call('ZADD', key, ms(now), event)
    redis.call('PEXPIREAT', key, ms(expiry))
  end
end
update_agent_timer()
append_entry({receipt = arg.receipt_number, late = timed and ms(late) or '0'})
return {'ok'}
