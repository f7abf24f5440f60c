-- Lists active bans in the order of their players.
-- KEYS: the players of the bans, the ban records. ARGV[1]: the player after which the list begins ('' for the first);
-- [2]: the maximum number of bans; [3]: now. Returns pairs of a player and a record.

local reply, after, limit = {}, ARGV[1], tonumber(ARGV[2])
while #reply < 2 * limit do
  local from = after == '' and '-' or '(' .. after
  local found = redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, limit)
  if #found == 0 then
    break
  end
  for at, record in ipairs(redis.call('HMGET', KEYS[2], unpack(found))) do
    if #reply < 2 * limit and is_ban_active(record, tonumber(ARGV[3])) then
      reply[#reply + 1] = found[at]
      reply[#reply + 1] = record
    end
  end
  after = found[#found]
end
return reply
