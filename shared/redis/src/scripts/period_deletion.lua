-- Deletes the periods of a deleted leaderboard. Needs period_keys.lua and entry_counts.lua.
--
-- One command deletes PERIODS_PER_STEP periods at most. A leaderboard with more periods stays in a sorted set of the
-- tenant, together with its list of periods, until all its periods are deleted. Only then can a leaderboard of the
-- same name be created.

local PERIODS_PER_STEP = 200

-- Returns the periods that the next step deletes, and reads their entry counts.
local function load_next_periods(entry_counts, board, list)
  local ids, names = redis.call('ZRANGE', list, 0, PERIODS_PER_STEP - 1), {}
  for at, id in ipairs(ids) do
    names[at] = board .. ':' .. id
  end
  load_entry_counts(entry_counts, unpack(names))
  return ids
end

-- Deletes these periods. Returns whether the leaderboard has no periods left.
local function delete_periods(entry_counts, board, list, prefixes, ids)
  for _, id in ipairs(ids) do
    local _, keys = period_by_id(prefixes, id)
    drop_period_count(entry_counts, board .. ':' .. id)
    redis.call('UNLINK', unpack(keys))
  end
  redis.call('ZREMRANGEBYRANK', list, 0, PERIODS_PER_STEP - 1)
  return #ids < PERIODS_PER_STEP or redis.call('EXISTS', list) == 0
end

-- Continues the deletion of a leaderboard of this name, if one is pending. Returns whether none is pending any more.
local function continue_deletion(entry_counts, deleted, board, list, prefixes)
  if not redis.call('ZSCORE', deleted, board) then
    return true
  end
  local is_gone = delete_periods(entry_counts, board, list, prefixes, load_next_periods(entry_counts, board, list))
  if is_gone then
    redis.call('ZREM', deleted, board)
  end
  return is_gone
end
