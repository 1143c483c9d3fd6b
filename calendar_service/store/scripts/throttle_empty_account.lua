#!lua flags=allow-oom
-- Google refused for one account's rate: that account's budget is empty, and only that account waits.
-- keys: throttle
-- args: none
-- answers: ok
--   ok: it is empty
-- use: clock throttle
write('account_at', ms(now), 'account_left', '0')
redis.call('PEXPIRE', KEY.throttle, LIFETIME.account_budget)
return {'ok'}
