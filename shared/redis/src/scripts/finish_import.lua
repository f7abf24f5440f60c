-- Makes a leaderboard of an import.
-- KEYS: the import, the configuration, the tenant's list of leaderboards, the tenant's last version.
-- ARGV[1]: the leaderboard's id; [2]: the state that the import must have.
-- Returns 'ok', 'changed' for another state, or 'exists' when there is such a leaderboard.

local there = redis.call('HMGET', KEYS[1], 'id', 'state')
if there[1] ~= ARGV[1] or there[2] ~= ARGV[2] then
  return {'changed'}
elseif redis.call('HEXISTS', KEYS[2], 'v') == 1 then
  return {'exists'}
end
redis.call('ZCARD', KEYS[3])
local _, version = next_version(KEYS[4])
redis.call('SET', KEYS[4], version)
redis.call('HSET', KEYS[1], 'v', version)
redis.call('HDEL', KEYS[1], 'id', 'state', 'at')
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('ZADD', KEYS[3], 0, ARGV[1])
return {'ok'}
