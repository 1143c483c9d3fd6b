-- use: facts holds sessions
-- The connection moves to another Google account. The former account keeps its calendar; its sessions are lost until the
-- backend puts them again.
local function leave_account()
  lose_scheduled('account_changed')
  keep_held_calendar()
  put('calendar_id', '', 'calendar_since', '0', 'calendar_lost_at', '0', 'account_moved', '1')
end
