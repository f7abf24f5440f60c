-- Charges a call, then settles its attempts in their order, each over all its targets or none. Needs words, period,
-- arguments, clock, metering, held, remembered.
--
-- KEYS and ARGV: see `request` in submit.rs. They are read from front to back.
-- Answers what metering.lua answers, when the call is metered, and no more when it is refused; then one string for
-- each attempt: a 0 and, for each target, whether it is a replay, the length of its outcome and the outcome; or a 1,
-- the refusal's code and the number of the target that refused.

local BEST, INCREMENT, DECREMENT = 0, 2, 3
local CREATED, IMPROVED, CHANGED, KEPT = 0, 1, 2, 3
-- Why an attempt is refused; `caller` is why the caller would refuse it, unless the id is known. In one table, because
-- every local that functions share costs time in every call.
local REFUSED = {
  stale = 1, conflict = 2, reordered = 3, exhausted = 4, full = 5, overflow = 6, below = 7, above = 8, too_far = 9,
  caller = 10, tenant_full = 11,
}
local MAX_ATTEMPTS = 4294967295
local SIGN = 2147483648
local KEYS_OF_A_PERIOD = 6
local PRUNED_PERIODS = 100

local function halves_or_nil(text)
  if text == '' then
    return nil
  end
  local hi, lo = struct.unpack('>I4I4', text)
  return {hi, lo}
end

local with_ranks = take() == '1'
local flags_at = tonumber(take()) + 1
local hidden_flag = tonumber(take())
local span_ms = tonumber(take())
local hidden_players = take_key()
local held = held_at(take_key(), take_key())
local meter = take() == '1' and take_meter()
local max_tenant_entries = tonumber(take())
if max_tenant_entries then
  take_boards(held)
end
-- Where changes are announced ('' for nowhere), how the message begins, for how long one is enough.
local channel, message, window_ms = take(), take(), take()

local function take_place()
  local place = {configuration = take_key(), log = take_key(), slots = {take_key(), take_key()}}
  place.periods, place.announced = take_key(), take_key()
  place.period = period_at(KEYS, taken_keys + 1)
  taken_keys = taken_keys + KEYS_OF_A_PERIOD
  place.board = take()
  place.board_version = take()
  place.board_layout = take()
  place.descending = tonumber(take())
  place.min = halves_or_nil(take())
  place.max = halves_or_nil(take())
  place.max_change = halves_or_nil(take())
  place.max_attempts = tonumber(take())
  place.max_entries = tonumber(take())
  place.id = take()
  place.name = place.board .. ':' .. place.id
  place.bounds = take()
  place.starts = take()
  place.expires_at = tonumber(take())
  place.meta_prefix = take()
  return place
end

-- The first column is the one that is added to and has bounds.
local function first_descends(place)
  return place.descending % 2 == 1
end

-- Looks at a place before anything is written.
local function open_place(place)
  place.stale = redis.call('HGET', place.configuration, 'v') ~= place.board_version
  if place.stale then
    return
  end
  local period = load(place.period)
  place.is_new = not period.layout
  if place.is_new then
    set_layout(period, place.board_layout)
    redis.call('ZCARD', place.periods)
  end
  place.reordered = period.layout ~= place.board_layout
  check_types(period)
  redis.call('XLEN', place.log)
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
  if target.operator == BEST and not better then
    return kept
  end
  local metadata = attempt.metadata
  if adds and metadata == '' then
    metadata = old.metadata
  end
  local same = result == old.tuple
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

-- Checks one target without writing: a plan, or nothing and the refusal's code.
local function plan_target(attempt, target)
  local place = target.place
  if place.stale then
    return nil, REFUSED.stale
  end
  if attempt.id ~= '' then
    local fingerprint, outcome = recall(place.slots, attempt.id, attempt.now, span_ms)
    if fingerprint == attempt.fingerprint then
      return {replay = outcome}
    elseif fingerprint then
      return nil, REFUSED.conflict
    end
  end
  if target.refused then
    return nil, REFUSED.caller
  end
  if place.reordered then
    return nil, REFUSED.reordered
  end
  return settle(place, attempt, target)
end

-- Writes what a period is, at its first entry, and forgets the names of some that have expired.
local function create_period(place, attempt)
  local period = place.period
  -- One of the same name that expired.
  drop_held(held, place.name, 0)
  redis.call('HSET', period.meta, 'l', period.layout, 'b', place.bounds, 'v', 0)
  for _, id in ipairs(redis.call('ZRANGE', place.periods, 0, PRUNED_PERIODS - 1)) do
    if redis.call('EXISTS', place.meta_prefix .. id) == 0 then
      redis.call('ZREM', place.periods, id)
    end
  end
  redis.call('ZADD', place.periods, place.starts, place.id)
  if place.expires_at then
    set_deadline(period, place.expires_at, attempt.now)
    follow_deadline(held, period, place.name)
  end
  place.is_new = false
end

-- An outcome has its layout with it: it may be told again under another configuration.
local function pack_outcome(place, plan, version, rank, previous_rank)
  local period = place.period
  local flags = (rank and 1 or 0) + (plan.old and 2 or 0) + 4
  return struct.pack('BBBB', plan.status, period.columns, place.descending, flags)
    .. word(version) .. word(rank or 0) .. word(previous_rank or 0)
    .. plan.tuple .. (plan.old and plan.old.tuple or '')
    .. string.char(#period.layout) .. period.layout .. place.id
end

-- Writes a plan, event first: its position is the version of what it changes.
local function apply(attempt, target, plan)
  local place, period = target.place, target.place.period
  local hidden = redis.call('SISMEMBER', hidden_players, attempt.player) == 1
  local old_key = plan.old and plan.old.place .. attempt.player
  local key = plan.place .. attempt.player
  local previous_rank = with_ranks and old_key and rank_of(period, old_key)
  local event = target.event
  if hidden then
    event = string.sub(event, 1, flags_at - 1)
      .. string.char(bit.bor(string.byte(event, flags_at), hidden_flag)) .. string.sub(event, flags_at + 1)
  end
  local position = append(place.log, event)
  if place.is_new then
    create_period(place, attempt)
  elseif period.expires_at ~= place.expires_at then
    set_deadline(period, place.expires_at, attempt.now)
    follow_deadline(held, period, place.name)
  end
  local packed = plan.place .. varint(plan.attempts) .. plan.metadata
  if redis.call('HSET', period.entries, attempt.player, packed) == 1 then
    add_held(held, period, place.name, 1)
  end
  local moved = seat(period, old_key, key, hidden)
  if moved or plan.status ~= KEPT then
    period.version, place.changed = position, true
    redis.call('HSET', period.meta, 'v', position)
    keep_deadline(period)
  end
  local rank = with_ranks and ((moved or not previous_rank) and rank_of(period, key) or previous_rank)
  local outcome = pack_outcome(place, plan, period.version, rank, previous_rank)
  if attempt.id ~= '' then
    remember(place.slots, attempt.id, attempt.fingerprint, outcome, attempt.now, span_ms)
  end
  return outcome
end

-- The number of the first target whose new entry the tenant has no room for, if any. Opens the count of entries
-- wherever it is going to be written.
local function find_overfull(attempt, plans)
  local created, first = 0, nil
  for at, plan in ipairs(plans) do
    local place = attempt.targets[at].place
    if plan.status == CREATED then
      created, first = created + 1, first or at
    end
    if plan.status == CREATED or place.period.expires_at ~= place.expires_at then
      open_held(held)
    end
  end
  if first and max_tenant_entries and count_held(held) + created > max_tenant_entries then
    return first
  end
end

local function settle_attempt(attempt)
  local plans = {}
  for at, target in ipairs(attempt.targets) do
    local plan, refusal = plan_target(attempt, target)
    if not plan then
      return struct.pack('>BBI4', 1, refusal, at - 1)
    end
    plans[at] = plan
  end
  local overfull = find_overfull(attempt, plans)
  if overfull then
    return struct.pack('>BBI4', 1, REFUSED.tenant_full, overfull - 1)
  end
  local answer = {'\0'}
  for at, target in ipairs(attempt.targets) do
    local outcome = plans[at].replay or apply(attempt, target, plans[at])
    answer[#answer + 1] = struct.pack('>BI4', plans[at].replay and 1 or 0, #outcome) .. outcome
  end
  return table.concat(answer)
end

-- Tells other regions which leaderboards changed, each once in a while.
local function announce(places)
  local changed = {}
  for _, place in ipairs(places) do
    if place.changed and redis.call('SET', place.announced, '', 'PX', window_ms, 'NX') then
      changed[#changed + 1] = '"' .. place.board .. '"'
    end
  end
  if #changed > 0 then
    redis.call('PUBLISH', channel, message .. table.concat(changed, ',') .. ']}')
  end
end

local has_room = not meter or weigh(meter)
if not has_room then
  return {metered(meter, true)}
end

local places = {}
for at = 1, tonumber(take()) do
  places[at] = take_place()
  open_place(places[at])
end

local function take_attempt()
  local attempt = {player = take(), metadata = take(), now = tonumber(take())}
  attempt.id, attempt.fingerprint, attempt.targets = take(), take(), {}
  for at = 1, tonumber(take()) do
    local target = {place = places[tonumber(take())], operator = tonumber(take())}
    target.tuple, target.time, target.event, target.refused = take(), take(), take(), take() == '1'
    attempt.targets[at] = target
  end
  return attempt
end

local answers = {}
if meter then
  charge_all(meter)
  answers[1] = metered(meter, false)
end
for _ = 1, tonumber(take()) do
  answers[#answers + 1] = settle_attempt(take_attempt())
end
if channel ~= '' then
  announce(places)
end
return answers
