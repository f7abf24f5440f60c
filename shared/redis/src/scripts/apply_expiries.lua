-- One step of a change of when periods expire. Needs words, period, clock, held, families, expiries.
-- KEYS: count of entries and periods that expire, the list of expiries. ARGV[1]: the leaderboard's id; [2]: now; [3..8]:
-- prefixes of the periods' keys. Answers 1 when more is left, or 0.

local held = held_at(KEYS[1], KEYS[2])
open_held(held)
return apply_expiries(held, KEYS[3], ARGV[1], prefixes_at(3), tonumber(ARGV[2])) and 0 or 1
