#!lua flags=allow-oom
-- Google refused for one account's rate: that account's budget is empty for `account_pause` ms, and only that account waits.
-- keys: throttle
-- args: rate
--   rate: tokens a minute of the account
-- answers: ok
--   ok: it is empty
-- use: throttle
store_tokens('account', -tonumber(arg.rate) * LIFETIME.account_pause / LIFETIME.minute)
redis.call('PEXPIRE', KEY.throttle, LIFETIME.account_budget)
return {'ok'}
