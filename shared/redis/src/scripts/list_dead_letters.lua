-- Lists dead letters, newest first.
-- KEYS: the letters (hash, id -> letter), the ids to choose from (sorted set). ARGV[1]: the highest id in the syntax
-- of ZRANGE; [2]: the maximum number of letters. Returns pairs of an id and a letter.

local ids = redis.call('ZRANGE', KEYS[2], ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2])
local reply = {}
for _, id in ipairs(ids) do
  local letter = redis.call('HGET', KEYS[1], id)
  if letter then
    reply[#reply + 1] = id
    reply[#reply + 1] = letter
  end
end
return reply
