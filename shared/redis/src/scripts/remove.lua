-- Removes a player's entry. Needs words, period, clock, held, reading.
-- KEYS: as for a read, then the log, the count of entries, the periods that expire. ARGV[2]: the player;
-- ARGV[3]: the event; ARGV[4]: the name of the period in the count.
-- Answers {0} for a stale configuration, {1} when there is no entry, or {1, version}.

local period = open_reading()
if not period then
  return {0}
end
local key = period.layout and key_of(period, ARGV[2])
if not key then
  return {1}
end
check_types(period)
local held = held_at(KEYS[9], KEYS[10])
open_held(held)
local position = append(KEYS[8], ARGV[3])
redis.call('HDEL', period.entries, ARGV[2])
add_held(held, period, ARGV[4], -1)
seat(period, key, nil, redis.call('ZSCORE', period.hidden, key) ~= false)
redis.call('HSET', period.meta, 'v', position)
return {1, string.format('%.0f', position)}
