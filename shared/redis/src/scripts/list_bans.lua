-- Bans that hold, in the order of their players. Needs words, bans.
-- KEYS: the players of the bans, their records. ARGV[1]: the player after whom the list begins ('' for the first); ARGV[2]:
-- how many; ARGV[3]: now. Answers pairs of a player and a record.

local answer, after, limit = {}, ARGV[1], tonumber(ARGV[2])
while #answer < 2 * limit do
  local from = after == '' and '-' or '(' .. after
  local found = redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, limit)
  if #found == 0 then
    break
  end
  for at, record in ipairs(redis.call('HMGET', KEYS[2], unpack(found))) do
    if #answer < 2 * limit and holds(record, tonumber(ARGV[3])) then
      answer[#answer + 1] = found[at]
      answer[#answer + 1] = record
    end
  end
  after = found[#found]
end
return answer
