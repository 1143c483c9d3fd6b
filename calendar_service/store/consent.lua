#!lua
-- The agent has to be asked again: Google said that the permission does not suffice, or the policy outgrew the consent.
-- A: connection, the policy's version under which the consent was found outgrown ('' = Google said so)
if fact('connection_id') ~= A[1] or fact('grant') ~= 'live' or instant('consent_needed') > 0 then return {'gone'} end
if A[2] ~= '' and fact('consent_policy') ~= A[2] then return {'gone'} end
put('consent_needed', ms(now))
notify('connection.reconsent_required')
retime()
journal()
return {'ok'}
