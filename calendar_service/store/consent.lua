#!lua
-- The agent has to be asked again: Google said that the permission does not suffice, or the policy outgrew the consent.
-- A: connection, the policy's version under which the consent was found outgrown ('' = Google said so), and then the number
-- of the token that did not suffice
if fact('connection_id') ~= A[1] or fact('grant') ~= 'live' or instant('consent_needed') > 0 then return {'gone'} end
if A[2] ~= '' and fact('consent_policy') ~= A[2] then return {'gone'} end
local grant = redis.call('GET', G)
-- An older token proves nothing about the consent that stands now (law 5).
if A[2] == '' and (not grant or ms(cjson.decode(grant).number) ~= A[3]) then return {'newer'} end
put('consent_needed', ms(now))
notify('connection.reconsent_required')
retime()
journal()
return {'ok'}
