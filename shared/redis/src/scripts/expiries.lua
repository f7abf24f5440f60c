-- When a leaderboard's periods expire, after a change of its configuration. Needs words, period, clock, held, families.
--
-- All that the change says is written to a list of the leaderboard first, pairs of a period's id and its expiry ('' for none),
-- and applied in steps. What a request leaves there, the next change of the configuration goes on with.

local EXPIRIES_PER_STEP = 100

-- What the pairs of one step, from a number on, change: the periods that are there. Each has its id and the expiry that it
-- gets (`next_expiry`). Writes nothing.
local function read_expiries(pairs_of, from, prefixes)
  local found = {}
  for at = from, math.min(#pairs_of, from + 2 * EXPIRIES_PER_STEP - 1), 2 do
    local period = period_of(prefixes, pairs_of[at])
    local expires_at = pairs_of[at + 1] ~= '' and whole_of(pairs_of[at + 1], 'expiry of a period')
    if redis.call('HLEN', period.meta) > 0 then
      period.id, period.next_expiry = pairs_of[at], expires_at or nil
      found[#found + 1] = period
    end
  end
  return found
end

-- Applies some of the list. Whether nothing is left.
local function apply_expiries(held, list, board, prefixes, now)
  local some = redis.call('LRANGE', list, 0, 2 * EXPIRIES_PER_STEP - 1)
  if #some == 0 then
    return true
  end
  local changed = read_expiries(some, 1, prefixes)
  redis.call('LPOP', list, #some)
  for _, period in ipairs(changed) do
    set_deadline(period, period.next_expiry, now)
    follow_deadline(held, period, board .. ':' .. period.id)
  end
  return #some < 2 * EXPIRIES_PER_STEP or redis.call('EXISTS', list) == 0
end
