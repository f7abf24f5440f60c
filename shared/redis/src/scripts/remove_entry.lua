-- Removes a player's entry.
-- KEYS: those of a read, then the log, the entry counts, the periods that expire, the tenant's log sizes. ARGV[2]:
-- the player; [3]: the event; [4]: the period's name in the entry counts.
-- Returns the reply of a refused read, {1} when the player has no entry, or {1, version}.

local period, refusal = open_read()
if not period then
  return refusal
end
local key = period.layout and find_order_key(period, ARGV[2])
if not key then
  return {1}
end
check_period_types(period)
check_tuple_counts(period, key)
local entry_counts, log_sizes = new_entry_counts(KEYS[10], KEYS[11]), new_log_sizes(KEYS[12])
load_entry_counts(entry_counts, ARGV[4])
local log = load_log(new_log(KEYS[9], KEYS[1], log_sizes))
local position = append_event(log, ARGV[3])
close_log(log, 0)
write_log_sizes(log_sizes)
redis.call('HDEL', period.entries, ARGV[2])
add_entry_count(entry_counts, period, ARGV[4], -1)
move_entry(period, key, nil, redis.call('ZSCORE', period.banned, key) ~= false)
redis.call('HSET', period.meta, 'v', position)
return {1, string.format('%.0f', position)}
