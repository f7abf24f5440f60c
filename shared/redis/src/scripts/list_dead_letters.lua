-- Dead letters, newest first. KEYS: the letters (hash, id -> letter), the ids to choose from (sorted set).
-- ARGV[1]: the id from which on, as ZRANGE takes it; [2]: how many at most. Answers the id and the letter of each.

local ids = redis.call('ZRANGE', KEYS[2], ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2])
local answer = {}
for _, id in ipairs(ids) do
  local letter = redis.call('HGET', KEYS[1], id)
  if letter then
    answer[#answer + 1] = id
    answer[#answer + 1] = letter
  end
end
return answer
