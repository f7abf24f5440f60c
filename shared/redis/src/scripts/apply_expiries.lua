-- Applies one step of changed period expiries.
-- KEYS: the entry counts, the periods that expire, the list of expiries.
-- ARGV[1]: the leaderboard's id; [2]: now; [3..8]: the prefixes of the period keys.
-- Returns 1 when more expiries are left, otherwise 0.

local entry_counts = new_entry_counts(KEYS[1], KEYS[2])
load_entry_counts(entry_counts)
return apply_expiries(entry_counts, KEYS[3], ARGV[1], read_key_prefixes(3), tonumber(ARGV[2])) and 0 or 1
