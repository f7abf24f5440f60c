-- The rules for entries: what a submission changes, as core's rules define it. Needs numbers.lua and period.lua.
--
-- A `period_ref` holds the leaderboard's limits and the period. A `target` holds the operator, the tuple and the time
-- of a submission.

local BEST, INCREMENT, DECREMENT = 0, 2, 3
local CREATED, IMPROVED, CHANGED, KEPT = 0, 1, 2, 3
-- Codes of refusals. `caller`: the caller refuses the target unless its id is a replay. All codes are in one table,
-- because every shared local costs time in each call.
local REFUSAL = {
  stale = 1, conflict = 2, reordered = 3, exhausted = 4, full = 5, overflow = 6, below = 7, above = 8,
  change_too_large = 9, caller = 10, tenant_full = 11, uncounted = 12, rebuilding = 13, log_full = 14,
  final = 15,
}
local MAX_ATTEMPTS = 4294967295
local SIGN = 2147483648

-- Returns whether the first column descends. Only the first column is added to and has bounds.
local function first_descends(period_ref)
  return period_ref.descending % 2 == 1
end

-- Returns `base` plus or minus `by` in the first column, with the other columns of `by`; nil on overflow.
local function add_to_first_column(period_ref, base, by, sign)
  local descending = first_descends(period_ref)
  local bhi, blo = first_halves(by, descending)
  local ahi, alo = SIGN, 0
  if base then
    ahi, alo = first_halves(base, descending)
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

-- Returns whether two numbers differ by more than `limit`. All three are given as halves.
local function is_change_too_large(limit, ahi, alo, bhi, blo)
  if is_less(ahi, alo, bhi, blo) then
    ahi, alo, bhi, blo = bhi, blo, ahi, alo
  end
  local hi, lo = ahi - bhi, alo - blo
  if lo < 0 then
    hi, lo = hi - 1, lo + HALF
  end
  return is_less(limit[1], limit[2], hi, lo)
end

-- Returns the code of the bound that the result breaks, or nil. A `best` result that does not replace the entry may
-- differ by any amount.
local function find_broken_bound(period_ref, old_tuple, result, operator)
  local descending = first_descends(period_ref)
  local hi, lo = first_halves(result, descending)
  if period_ref.min and is_less(hi, lo, period_ref.min[1], period_ref.min[2]) then
    return REFUSAL.below
  end
  if period_ref.max and is_less(period_ref.max[1], period_ref.max[2], hi, lo) then
    return REFUSAL.above
  end
  if not period_ref.max_change then
    return nil
  end
  if not old_tuple then
    local adds = operator == INCREMENT or operator == DECREMENT
    return adds and is_change_too_large(period_ref.max_change, hi, lo, SIGN, 0) and REFUSAL.change_too_large or nil
  end
  if operator == BEST and not is_before(result, old_tuple) then
    return nil
  end
  local old_hi, old_lo = first_halves(old_tuple, descending)
  return is_change_too_large(period_ref.max_change, hi, lo, old_hi, old_lo) and REFUSAL.change_too_large or nil
end

-- Returns the later of two times. With ties 'latest', times are stored inverted, so the smaller integer is the later
-- time.
local function later_time(period, a, b)
  local a_first = is_before(a, b)
  if period.ties == 1 then
    a_first = not a_first
  end
  return a_first and b or a
end

-- Plans the change of an existing entry: status, tuple, order-key prefix and metadata.
local function plan_change(period, submission, target, old, result)
  local adds = target.operator == INCREMENT or target.operator == DECREMENT
  local better = is_before(result, old.tuple)
  local kept = {status = KEPT, tuple = old.tuple, prefix = old.prefix, metadata = old.metadata}
  local same = result == old.tuple
  if target.operator == BEST and not better then
    if same and target.time ~= old.time and later_time(period, old.time, target.time) == old.time then
      kept.status, kept.prefix = CHANGED, narrow(result .. target.time)
    end
    return kept
  end
  local metadata = submission.metadata
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
    time = later_time(period, old.time, time)
  end
  local status = better and IMPROVED or CHANGED
  return {status = status, tuple = result, prefix = narrow(result .. time), metadata = metadata}
end

-- Applies the rules in their documented order. Returns a plan; or nil and the code of the refusal. Writes nothing.
local function plan_entry(period_ref, submission, target)
  local period, old = period_ref.period, nil
  local packed = redis.call('HGET', period.entries, submission.player)
  if packed then
    old = {}
    old.prefix, old.attempts, old.metadata = unpack_entry(period, packed)
    local ints = widen(old.prefix, period.columns + 1)
    old.tuple, old.time = string.sub(ints, 1, -9), string.sub(ints, -8)
  end
  local used = old and old.attempts or 0
  if period_ref.max_attempts and used >= period_ref.max_attempts then
    return nil, REFUSAL.exhausted
  end
  if period_ref.max_entries and not old and redis.call('HLEN', period.entries) >= period_ref.max_entries then
    return nil, REFUSAL.full
  end
  local result = target.tuple
  if target.operator == INCREMENT or target.operator == DECREMENT then
    result = add_to_first_column(period_ref, old and old.tuple, target.tuple, target.operator == INCREMENT and 1 or -1)
    if not result then
      return nil, REFUSAL.overflow
    end
  end
  local broken = find_broken_bound(period_ref, old and old.tuple, result, target.operator)
  if broken then
    return nil, broken
  end
  local plan
  if old then
    plan = plan_change(period, submission, target, old, result)
  else
    plan = {status = CREATED, tuple = result, metadata = submission.metadata}
    plan.prefix = narrow(result .. target.time)
  end
  plan.old = old
  plan.attempts = math.min(used + 1, MAX_ATTEMPTS)
  return plan
end
