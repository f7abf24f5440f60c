-- The periods of a leaderboard that is deleted. Needs families, held.
--
-- A command deletes so many of them. A leaderboard that has more is in a sorted set of the tenant until they are gone, and its
-- list of periods with it; a leaderboard of the same name begins when they are.

local PERIODS_PER_STEP = 200

-- The periods of a leaderboard that the next step deletes. Their parts of the count have been read.
local function next_periods(held, board, list)
  local ids, names = redis.call('ZRANGE', list, 0, PERIODS_PER_STEP - 1), {}
  for at, id in ipairs(ids) do
    names[at] = board .. ':' .. id
  end
  open_held(held, unpack(names))
  return ids
end

-- Deletes those periods of a leaderboard. Whether all are gone.
local function drop_periods(held, board, list, prefixes, ids)
  for _, id in ipairs(ids) do
    local _, keys = period_of(prefixes, id)
    drop_held(held, board .. ':' .. id)
    redis.call('UNLINK', unpack(keys))
  end
  redis.call('ZREMRANGEBYRANK', list, 0, PERIODS_PER_STEP - 1)
  return #ids < PERIODS_PER_STEP or redis.call('EXISTS', list) == 0
end

-- Goes on with the deletion of a leaderboard of this name, if there is one. Whether nothing is left of it.
local function finish_deletion(held, deleted, board, list, prefixes)
  if not redis.call('ZSCORE', deleted, board) then
    return true
  end
  local is_gone = drop_periods(held, board, list, prefixes, next_periods(held, board, list))
  if is_gone then
    redis.call('ZREM', deleted, board)
  end
  return is_gone
end
