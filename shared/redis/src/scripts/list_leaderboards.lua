-- Lists configurations in byte order of their ids.
-- KEYS: the tenant's list of leaderboards. ARGV[1]: the id after which the list begins, or ''; [2]: the maximum
-- number of configurations; [3], [4]: the parts of a configuration's key before and after the id. Returns version and
-- bytes of each.

local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local reply = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, ARGV[2])) do
  local document = redis.call('HMGET', ARGV[3] .. id .. ARGV[4], 'v', 'b')
  reply[#reply + 1] = document[1] or ''
  reply[#reply + 1] = document[2] or ''
end
return reply
