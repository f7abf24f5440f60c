-- Reads the configurations of several leaderboards.
-- KEYS: the configuration of each. Returns version ('' for a missing leaderboard) and bytes of each.

local reply = {}
for at, key in ipairs(KEYS) do
  local document = redis.call('HMGET', key, 'v', 'b')
  reply[2 * at - 1], reply[2 * at] = document[1] or '', document[2] or ''
end
return reply
