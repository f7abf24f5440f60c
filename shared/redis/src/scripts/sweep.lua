-- One step of the deletion of a leaderboard's periods. Needs words, period, clock, held, families, gone.
-- KEYS: count of entries and periods that expire, the leaderboards whose periods are still to be deleted, the list of
-- periods. ARGV[1]: the leaderboard's id; ARGV[2..7]: prefixes. Answers how many leaderboards are left.

local held = held_at(KEYS[1], KEYS[2])
open_held(held)
finish_deletion(held, KEYS[3], ARGV[1], KEYS[4], prefixes_at(2))
return redis.call('ZCARD', KEYS[3])
