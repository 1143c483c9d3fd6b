#!lua
-- What a person did to an event in Google: noted and told in one step, so it is told once.
-- A: connection, session, record as it was read before Google was asked, record as it shall be, what was done
local id, name, loaded, record, done = A[1], A[2], A[3], A[4], A[5]
if fact('connection_id') ~= id or fact('grant') ~= 'live' then return {'gone'} end
-- Written by us meanwhile: what Google showed may be our own doing.
if redis.call('HGET', S, name) ~= loaded then return {'again'} end
redis.call('HSET', S, name, record)
if done == 'changed' then notify('session.changed_in_google', name) end
if done == 'deleted' then notify('session.deleted_in_google', name) end
if done == 'restored' then notify('session.applied', name) end
retime()
journal({found = done})
return {'ok'}
