-- Reads a tenant's quotas in use and daily usage.
-- KEYS: the entry counts, the periods that expire, the tenant's list of leaderboards, the usage, the tenant's log
-- sizes.
-- ARGV: the arguments of `read_leaderboard_keys`; then the length of a span of idempotency records in milliseconds.
-- Returns the number of leaderboards, 1 when the number of entries is exact (0 when more steps are needed), the
-- number of entries, the size of logs and records, then field and count of each day, unsorted.

local entry_counts = new_entry_counts(next_key(), next_key())
read_leaderboard_keys(entry_counts)
local usage = redis.call('HGETALL', next_key())
local log_sizes = new_log_sizes(next_key())
load_log_sizes(log_sizes, math.floor(now_us() / 1000 / tonumber(next_argument())))
local leaderboards = redis.call('ZCARD', entry_counts.leaderboards)
drop_expired_counts(entry_counts)
local is_exact = entry_counts.is_exact and (entry_counts.total or leaderboards == 0)
return {leaderboards, is_exact and 1 or 0, entry_counts.total or 0, log_sizes.events + log_sizes.records, unpack(usage)}
