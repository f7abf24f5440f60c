-- Changes when a leaderboard's periods expire, after its configuration changed. Needs numbers.lua, period.lua,
-- clock.lua, entry_counts.lua and period_keys.lua.
--
-- The change first appends all expiries to a list of the leaderboard: pairs of a period id and the period's expiry
-- ('' for none). Steps apply them. If a request stops before the end, the next change of the configuration continues.

local EXPIRIES_PER_STEP = 100

-- Reads the pairs of one step from index `from` on. Returns the existing periods with their ids and new expiries
-- (`next_expiry`). Writes nothing.
local function read_expiries(pairs_of, from, prefixes)
  local found = {}
  for at = from, math.min(#pairs_of, from + 2 * EXPIRIES_PER_STEP - 1), 2 do
    local period = period_by_id(prefixes, pairs_of[at])
    local expires_at = pairs_of[at + 1] ~= '' and parse_integer(pairs_of[at + 1], 'expiry of a period')
    if redis.call('HLEN', period.meta) > 0 then
      period.id, period.next_expiry = pairs_of[at], expires_at or nil
      found[#found + 1] = period
    end
  end
  return found
end

-- Applies one step of the list. Returns whether the list is empty.
local function apply_expiries(entry_counts, list, board, prefixes, now)
  local some = redis.call('LRANGE', list, 0, 2 * EXPIRIES_PER_STEP - 1)
  if #some == 0 then
    return true
  end
  local changed = read_expiries(some, 1, prefixes)
  redis.call('LPOP', list, #some)
  for _, period in ipairs(changed) do
    set_deadline(period, period.next_expiry, now)
    record_deadline(entry_counts, period, board .. ':' .. period.id)
  end
  return #some < 2 * EXPIRIES_PER_STEP or redis.call('EXISTS', list) == 0
end
