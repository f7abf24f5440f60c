-- Removes a player's entry. Needs words, period, clock, held, log, bans, reading.
-- KEYS: as for a read, then the log, the count of entries, the periods that expire, what the tenant's logs weigh. ARGV[2]: the player;
-- ARGV[3]: the event; ARGV[4]: the name of the period in the count.
-- Answers as a read does, {1} when there is no entry, or {1, version}.

local period, refusal = open_reading()
if not period then
  return refusal
end
local key = period.layout and key_of(period, ARGV[2])
if not key then
  return {1}
end
check_types(period)
check_tuples(period, key)
local held, weights = held_at(KEYS[10], KEYS[11]), weights_at(KEYS[12])
open_held(held, ARGV[4])
open_weights(weights)
local log = open_log(log_at(KEYS[9], KEYS[1], weights))
local position = append(log, ARGV[3])
close_log(log, 0)
redis.call('HDEL', period.entries, ARGV[2])
add_held(held, period, ARGV[4], -1)
seat(period, key, nil, redis.call('ZSCORE', period.hidden, key) ~= false)
redis.call('HSET', period.meta, 'v', position)
return {1, string.format('%.0f', position)}
