#!lua
-- Google said that the permission does not suffice: the agent has to be asked again. A: connection
if fact('connection_id') ~= A[1] or fact('grant') ~= 'live' or instant('consent_needed') > 0 then return {'gone'} end
put('consent_needed', ms(now))
notify('connection.reconsent_required')
retime()
journal()
return {'ok'}
