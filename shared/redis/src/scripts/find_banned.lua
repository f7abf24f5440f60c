-- Says which of some players are banned.
-- KEYS: the ban records, their ends, the ban state. ARGV[1]: now; [2] and on: the players.
-- Returns how many bans have ever begun or ended, then 1 or 0 for each player.

-- A ban that is over counts as ended, also before `change_bans.lua` has ended it.
local now, changed = tonumber(ARGV[1]), redis.call('HGET', KEYS[3], 'n')
local over = redis.call('ZCOUNT', KEYS[2], '-inf', ARGV[1])
local reply = {to_decimal((parse_optional_count(changed, 'change of bans') or 0) + over)}
if #ARGV > 1 then
  for at, record in ipairs(redis.call('HMGET', KEYS[1], unpack(ARGV, 2))) do
    reply[at + 1] = is_ban_active(record, now) and 1 or 0
  end
end
return reply
