#!lua
-- A legal hold: identifiers and their history stay until it ends; tokens go as ever (law 7).
-- A: its end, when the agent may be told, who, why and on whose authority (JSON), in place of a standing one?
local ends = tonumber(A[1])
if fact('grant') == '' then return {'not_connected'} end
if ends <= now then return {'over'} end
if held() and A[4] ~= '1' then return {'held'} end
put('hold_until', A[1], 'hold_told_from', A[2], 'hold', A[3])
wake_at('hold', ends)
if instant('erase_due') > 0 then wake_at('erase', erasable_at()) end
guard_expiry()
retime()
journal({['until'] = A[1]})
return {'ok'}
