-- Deletes a leaderboard and its data.
-- KEYS: the configuration, the tenant's list of leaderboards, the entry counts, the periods that expire, the deleted
-- leaderboards that still have periods, the list of periods, the tenant's log sizes, the log, the two hashes of
-- idempotency records, then the leaderboard's other keys that belong to no period.
-- ARGV[1]: the expected version (see `is_expected`); [2]: the leaderboard's id; [3..8]: the prefixes of the period
-- keys.
-- Returns {'ok', 1 when the leaderboard existed} or {'version', current version or ''}.

local current = redis.call('HGET', KEYS[1], 'v') or ''
if not is_expected(current, ARGV[1]) then
  return {'version', current}
elseif current == '' then
  return {'ok', 0}
end
local entry_counts = new_entry_counts(KEYS[3], KEYS[4])
local ids = load_next_periods(entry_counts, ARGV[2], KEYS[6])
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[5])
release_log_size(new_log(KEYS[8], KEYS[1], new_log_sizes(KEYS[7])), {KEYS[9], KEYS[10]})
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('UNLINK', KEYS[1], unpack(KEYS, 8))
if not delete_periods(entry_counts, ARGV[2], KEYS[6], read_key_prefixes(3), ids) then
  redis.call('ZADD', KEYS[5], 0, ARGV[2])
end
return {'ok', 1}
