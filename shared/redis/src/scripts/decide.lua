-- The rules of an entry: what a submission makes of what is there, as core's `decide.rs` has them. Needs words, period.
--
-- A place has the leaderboard's bounds, and its period; a target the operator, the tuple and the time.

local BEST, INCREMENT, DECREMENT = 0, 2, 3
local CREATED, IMPROVED, CHANGED, KEPT = 0, 1, 2, 3
-- Why an attempt is refused; `caller` is why the caller would refuse it, unless the id is known. In one table, because
-- every local that functions share costs time in every call.
local REFUSED = {
  stale = 1, conflict = 2, reordered = 3, exhausted = 4, full = 5, overflow = 6, below = 7, above = 8, too_far = 9,
  caller = 10, tenant_full = 11, uncounted = 12, rebuilding = 13, log_full = 14,
}
local MAX_ATTEMPTS = 4294967295
local SIGN = 2147483648

-- The first column is the one that is added to and has bounds.
local function first_descends(place)
  return place.descending % 2 == 1
end

-- base + by, or base - by, in the first column; the other columns are those of `by`. Nothing on overflow.
local function add(place, base, by, sign)
  local descending = first_descends(place)
  local bhi, blo = first_word(by, descending)
  local ahi, alo = SIGN, 0
  if base then
    ahi, alo = first_word(base, descending)
  end
  local hi, lo = ahi + sign * bhi - sign * SIGN, alo + sign * blo
  if lo >= HALF then
    hi, lo = hi + 1, lo - HALF
  elseif lo < 0 then
    hi, lo = hi - 1, lo + HALF
  end
  if hi < 0 or hi >= HALF then
    return nil
  end
  if descending then
    hi, lo = HALF - 1 - hi, HALF - 1 - lo
  end
  return struct.pack('>I4I4', hi, lo) .. string.sub(by, 9)
end

local function too_far(limit, ahi, alo, bhi, blo)
  if less(ahi, alo, bhi, blo) then
    ahi, alo, bhi, blo = bhi, blo, ahi, alo
  end
  local hi, lo = ahi - bhi, alo - blo
  if lo < 0 then
    hi, lo = hi - 1, lo + HALF
  end
  return less(limit[1], limit[2], hi, lo)
end

-- The bound that the result breaks, if any. A `best` that does not win may be as far off as it likes.
local function broken_bound(place, before_tuple, result, operator)
  local descending = first_descends(place)
  local hi, lo = first_word(result, descending)
  if place.min and less(hi, lo, place.min[1], place.min[2]) then
    return REFUSED.below
  end
  if place.max and less(place.max[1], place.max[2], hi, lo) then
    return REFUSED.above
  end
  if not place.max_change then
    return nil
  end
  if not before_tuple then
    local adds = operator == INCREMENT or operator == DECREMENT
    return adds and too_far(place.max_change, hi, lo, SIGN, 0) and REFUSED.too_far or nil
  end
  if operator == BEST and not before(result, before_tuple) then
    return nil
  end
  local old_hi, old_lo = first_word(before_tuple, descending)
  return too_far(place.max_change, hi, lo, old_hi, old_lo) and REFUSED.too_far or nil
end

-- The later of two times; where the latest of a tie stands first, the smaller word is the later time.
local function later(period, a, b)
  local a_first = before(a, b)
  if period.ties == 1 then
    a_first = not a_first
  end
  return a_first and b or a
end

-- What an accepted submission makes of the entry that is there: its status, place and metadata.
local function outcome_over(period, attempt, target, old, result)
  local adds = target.operator == INCREMENT or target.operator == DECREMENT
  local better = before(result, old.tuple)
  local kept = {status = KEPT, tuple = old.tuple, place = old.place, metadata = old.metadata}
  local same = result == old.tuple
  if target.operator == BEST and not better then
    if same and target.time ~= old.time and later(period, old.time, target.time) == old.time then
      kept.status, kept.place = CHANGED, narrow(result .. target.time)
    end
    return kept
  end
  local metadata = attempt.metadata
  if adds and metadata == '' then
    metadata = old.metadata
  end
  if same and metadata == old.metadata then
    return kept
  end
  local time = target.time
  if same then
    time = old.time
  elseif adds then
    time = later(period, old.time, time)
  end
  local status = better and IMPROVED or CHANGED
  return {status = status, tuple = result, place = narrow(result .. time), metadata = metadata}
end

-- The rules of an entry, in the order in which they are promised. Nothing and a code, or what to write.
local function settle(place, attempt, target)
  local period, old = place.period, nil
  local packed = redis.call('HGET', period.entries, attempt.player)
  if packed then
    old = {}
    old.place, old.attempts, old.metadata = open_entry(period, packed)
    local words = widen(old.place, period.columns + 1)
    old.tuple, old.time = string.sub(words, 1, -9), string.sub(words, -8)
  end
  local used = old and old.attempts or 0
  if place.max_attempts and used >= place.max_attempts then
    return nil, REFUSED.exhausted
  end
  if place.max_entries and not old and redis.call('HLEN', period.entries) >= place.max_entries then
    return nil, REFUSED.full
  end
  local result = target.tuple
  if target.operator == INCREMENT or target.operator == DECREMENT then
    result = add(place, old and old.tuple, target.tuple, target.operator == INCREMENT and 1 or -1)
    if not result then
      return nil, REFUSED.overflow
    end
  end
  local broken = broken_bound(place, old and old.tuple, result, target.operator)
  if broken then
    return nil, broken
  end
  local plan
  if old then
    plan = outcome_over(period, attempt, target, old, result)
  else
    plan = {status = CREATED, tuple = result, metadata = attempt.metadata}
    plan.place = narrow(result .. target.time)
  end
  plan.old = old
  plan.attempts = math.min(used + 1, MAX_ATTEMPTS)
  return plan
end
