-- Configurations of several leaderboards. KEYS: the configuration of each.
-- Answers version ('' for no leaderboard) and bytes of each.

local answer = {}
for at, key in ipairs(KEYS) do
  local document = redis.call('HMGET', key, 'v', 'b')
  answer[2 * at - 1], answer[2 * at] = document[1] or '', document[2] or ''
end
return answer
