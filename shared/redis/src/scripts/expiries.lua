-- When a leaderboard's periods expire, after a change of its configuration. Needs words, period, clock, held, families.
--
-- All that the change says is written to a list of the leaderboard first, pairs of a period's id and its expiry ('' for none),
-- and applied in steps. What a request leaves there, the next change of the configuration goes on with.

local EXPIRIES_PER_STEP = 100

-- Applies some of the list. Whether nothing is left.
local function apply_expiries(held, list, board, prefixes, now)
  local some = redis.call('LPOP', list, 2 * EXPIRIES_PER_STEP) or {}
  for at = 1, #some, 2 do
    local period = period_of(prefixes, some[at])
    if redis.call('EXISTS', period.meta) == 1 then
      set_deadline(period, tonumber(some[at + 1]), now)
      follow_deadline(held, period, board .. ':' .. some[at])
    end
  end
  return #some < 2 * EXPIRIES_PER_STEP or redis.call('EXISTS', list) == 0
end
