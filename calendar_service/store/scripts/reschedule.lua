#!lua flags=allow-oom
-- Set when one timer of this slot is due next.
-- keys: slot
-- args: timer after expected
--   timer: the timer; '' = none, only the agent's entry in the shard's timers is updated
--   after: it is due after so many ms; '' = the timer is removed
--   expected: the instant (ms) at which it was due when the work began; '' = any
-- answers: ok | moved | gone
--   ok: done
--   moved: the timer stands at another instant than expected: something happened that the work did not see
--   gone: there is no slot, so all its timers are removed
-- use: clock facts timers holds
if redis.call('EXISTS', KEY.facts) == 0 and redis.call('EXISTS', KEY.teardowns) == 0 then
  redis.call('DEL', KEY.due)
  redis.call('ZREM', KEY.timers, arg.member)
  redis.call('ZREM', KEY.erasure_deadlines, arg.member)
  leave_index()
  return {'gone'}
end
if arg.expected ~= '' and due_at(arg.timer) ~= tonumber(arg.expected) then return {'moved'} end
set_timer(arg.timer, arg.after ~= '' and now + tonumber(arg.after) or nil)
if fact('grant_state') ~= '' then guard_expiry() end  -- a consent that is only begun keeps its own expiry
update_agent_timer()
return {'ok'}
