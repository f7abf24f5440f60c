-- One step towards an exact count of a tenant's entries. Needs words, period, arguments, clock, held.
-- KEYS: the count of entries, the periods that expire, the tenant's list of leaderboards, the count as an earlier version
-- kept it. ARGV: as `take_boards` says; how many periods are counted in one step, at most one leaderboard more.
-- Answers 1 when more is left to do, or 0.

local held = held_at(take_key(), take_key())
take_boards(held)
local earlier, budget = take_key(), tonumber(take())
open_held(held)
if not held.total and redis.call('ZCARD', held.boards) == 0 then
  return 0
end
begin_held(held, false)

-- Counts the periods of the next leaderboard. Its name, or nothing when all have been counted.
local function count_next()
  local from = held.counted_to == '' and '-' or '(' .. held.counted_to
  local board = redis.call('ZRANGE', held.boards, from, '+', 'BYLEX', 'LIMIT', 0, 1)[1]
  if not board then
    return nil
  end
  for _, id in ipairs(redis.call('ZRANGE', held.begin .. board .. held.periods, 0, -1)) do
    local period = {
      meta = held.begin .. board .. held.meta .. id, entries = held.begin .. board .. held.entries .. id,
    }
    adopt(held, period, board .. ':' .. id)
    budget = budget - 1
  end
  budget = budget - 1
  return board
end

if held.counted_to then
  while budget > 0 do
    local board = count_next()
    if not board then
      redis.call('HDEL', held.counts, ':')
      redis.call('UNLINK', earlier)
      held.counted_to = nil
      break
    end
    held.counted_to = board
  end
  if held.counted_to then
    redis.call('HSET', held.counts, ':', held.counted_to)
    return 1
  end
end
drop_expired(held)
return held.is_exact and 0 or 1
