-- Runs one step towards an exact count of a tenant's entries.
-- KEYS: the entry counts, the periods that expire, the tenant's list of leaderboards, the key in which an earlier
-- version kept the count. ARGV: the arguments of `read_leaderboard_keys`; then how many periods one step counts (one
-- leaderboard more at most).
-- Returns 1 when more steps are needed, otherwise 0.

local entry_counts = new_entry_counts(next_key(), next_key())
read_leaderboard_keys(entry_counts)
local earlier, budget = next_key(), tonumber(next_argument())
load_entry_counts(entry_counts)
if not entry_counts.total and redis.call('ZCARD', entry_counts.leaderboards) == 0 then
  return 0
end
start_entry_counts(entry_counts, false)

-- Counts the periods of the next leaderboard. Returns the leaderboard's id, or nil after the last leaderboard.
local function count_next_leaderboard()
  local from = entry_counts.counted_to == '' and '-' or '(' .. entry_counts.counted_to
  local board = redis.call('ZRANGE', entry_counts.leaderboards, from, '+', 'BYLEX', 'LIMIT', 0, 1)[1]
  if not board then
    return nil
  end
  for _, id in ipairs(redis.call('ZRANGE', entry_counts.key_begin .. board .. entry_counts.periods_end, 0, -1)) do
    local key_begin = entry_counts.key_begin .. board
    local period = {
      meta = key_begin .. entry_counts.meta_end .. id, entries = key_begin .. entry_counts.entries_end .. id,
    }
    count_earlier_period(entry_counts, period, board .. ':' .. id)
    budget = budget - 1
  end
  budget = budget - 1
  return board
end

if entry_counts.counted_to then
  while budget > 0 do
    local board = count_next_leaderboard()
    if not board then
      redis.call('HDEL', entry_counts.counts, ':')
      redis.call('UNLINK', earlier)
      entry_counts.counted_to = nil
      break
    end
    entry_counts.counted_to = board
  end
  if entry_counts.counted_to then
    redis.call('HSET', entry_counts.counts, ':', entry_counts.counted_to)
    return 1
  end
end
drop_expired_counts(entry_counts)
return entry_counts.is_exact and 0 or 1
