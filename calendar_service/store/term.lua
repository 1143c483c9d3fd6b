#!lua
-- The agent chose a term until the erasure; it counts at the end of the connection. A: length (ms; 0 = the operator's)
if fact('grant') ~= 'live' then return {'not_connected'} end
if instant('own_term') == tonumber(A[1]) then return {'unchanged'} end
put('own_term', A[1])
journal({term = A[1]})
return {'ok'}
