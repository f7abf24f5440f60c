-- Brings one leaderboard in line with whether a player is hidden. Needs words, period, families.
-- KEYS: the tenant's hidden players, the configuration, the log, the list of periods.
-- ARGV[1]: the player; ARGV[2]: 1 to hide, 0 to restore; ARGV[3]: the event; ARGV[4..9]: prefixes.
-- The set of hidden players has been changed before; when a later call changed it back, that call finishes.

local hidden = redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1
if hidden ~= (ARGV[2] == '1') or redis.call('EXISTS', KEYS[2]) == 0 then
  return 0
end
local found = {}
local prefixes = prefixes_at(4)
for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  local period = load(period_of(prefixes, id))
  local key = period.layout and key_of(period, ARGV[1])
  if key and redis.call('ZSCORE', hidden and period.visible or period.hidden, key) then
    check_types(period)
    period.moving = key
    found[#found + 1] = period
  end
end
if #found == 0 then
  return 0
end
local position = append(KEYS[3], ARGV[3])
for _, period in ipairs(found) do
  seat(period, period.moving, period.moving, hidden)
  redis.call('HSET', period.meta, 'v', position)
  keep_deadline(period)
end
return 1
