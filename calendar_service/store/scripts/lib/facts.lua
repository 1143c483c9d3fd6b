-- The facts of the connection: texts in a hash. An absent one reads as '', an absent instant as 0.
local function fact(name) return redis.call('HGET', KEY.facts, name) or '' end

local function instant(name) return tonumber(fact(name)) or 0 end

local function put(...) redis.call('HSET', KEY.facts, ...) end

local function is_live(id) return fact('connection_id') == id and fact('grant_state') == 'live' end
