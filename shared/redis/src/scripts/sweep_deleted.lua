-- Runs one step of the deletion of a leaderboard's periods.
-- KEYS: the entry counts, the periods that expire, the deleted leaderboards that still have periods, the list of
-- periods. ARGV[1]: the leaderboard's id; [2..7]: the prefixes of the period keys.
-- Returns how many deleted leaderboards still have periods.

local entry_counts = new_entry_counts(KEYS[1], KEYS[2])
load_entry_counts(entry_counts)
continue_deletion(entry_counts, KEYS[3], ARGV[1], KEYS[4], read_key_prefixes(2))
return redis.call('ZCARD', KEYS[3])
