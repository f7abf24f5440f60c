-- Configurations in byte order of their ids. ARGV[1]: the id after which, or ''; ARGV[2]: how many;
-- ARGV[3], ARGV[4]: what a configuration's key begins and ends with. KEYS: the tenant's list of leaderboards.
-- Answers version and bytes of each.

local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local answer = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, ARGV[2])) do
  local document = redis.call('HMGET', ARGV[3] .. id .. ARGV[4], 'v', 'b')
  answer[#answer + 1] = document[1] or ''
  answer[#answer + 1] = document[2] or ''
end
return answer
