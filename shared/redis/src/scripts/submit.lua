-- Charges a call, then settles its attempts in their order, each over all its targets or none. Needs words, period,
-- arguments, clock, publish, metering, held, log, bans, remembered, decide.
--
-- KEYS and ARGV: see `request` in submit.rs. They are read from front to back.
-- Answers what metering.lua answers, when the call is metered, and no more when it is refused; then one string for
-- each attempt: a 0 and, for each target, whether it is a replay, the length of its outcome and the outcome; or a 1,
-- the refusal's code and the number of the target that refused. Or nothing but '' when bans are yet to be applied to one of
-- the leaderboards; nothing is charged and nothing settled then.

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
local hidden_flag, kept_flag, metadata_flag = tonumber(take()), tonumber(take()), tonumber(take())
-- The code of an event that gets one of the last two.
local marked_code = tonumber(take())
local span_ms = tonumber(take())
local bans, bans_state, bans_now = take_key(), take_key(), tonumber(take())
local held = held_at(take_key(), take_key())
local weights = weights_at(take_key())
local meter = take() == '1' and take_meter()
local max_tenant_entries = tonumber(take())
if max_tenant_entries then
  take_boards(held)
end
local max_log_bytes = tonumber(take())
-- Where changes are announced ('' for nowhere), how the message begins, for how long one is enough.
local channel, message, window_ms = take(), take(), take()
local counters = take_key()

local function take_place()
  local place = {configuration = take_key(), log = take_key(), slots = {take_key(), take_key()}}
  place.periods, place.announced = take_key(), take_key()
  place.log = log_at(place.log, place.configuration, weights)
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
  -- What an idempotency record weighs beside its name: not less than what `pack_outcome` and `remember` make.
  place.record_bytes = tonumber(take())
  return place
end

-- Looks at a place before anything is written.
local function open_place(place)
  local known = redis.call('HMGET', place.configuration, 'v', 'k', 'd', 'f', 'n', 's')
  place.stale = known[1] ~= place.board_version
  if place.stale then
    return
  end
  place.is_behind = is_behind(bans_state, known[6], bans_now)
  local period = load(place.period)
  place.is_new = not period.layout
  if place.is_new then
    set_layout(period, place.board_layout)
    redis.call('ZCARD', place.periods)
  end
  place.reordered = period.layout ~= place.board_layout
  place.is_rebuilt = period.rebuilt_until and now_us() < period.rebuilt_until * 1000
  check_types(period)
  open_log(place.log, {known[2], known[3], known[4], known[5]})
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
  elseif place.is_rebuilt then
    return nil, REFUSED.rebuilding
  end
  local plan, refusal = settle(place, attempt, target)
  if plan then
    check_tuples(place.period, plan.place, plan.old and plan.old.place)
  end
  return plan, refusal
end

-- Writes what a period is, at its first entry, and forgets the names of some that have expired.
local function create_period(place, attempt)
  local period = place.period
  -- One of the same name that expired.
  drop_held(held, place.name)
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

-- The event of a plan, which comes without metadata: that of a submission that kept the entry stays so.
local function event_of(attempt, target, plan, hidden)
  local event, code, flags = target.event, nil, hidden and hidden_flag or 0
  if plan.status == KEPT then
    code, flags = marked_code, flags + kept_flag
  elseif attempt.metadata ~= '' then
    event = event .. varint(#attempt.metadata - 1) .. string.sub(attempt.metadata, 2)
    code, flags = marked_code, flags + metadata_flag
  end
  return string.char(code or string.byte(event)) .. string.sub(event, 2, flags_at - 1)
    .. string.char(string.byte(event, flags_at) + flags) .. string.sub(event, flags_at + 1)
end

-- What the idempotency record of an attempt weighs, before there is one.
local function record_bytes(place, attempt)
  return place.record_bytes + #attempt.id
end

-- Writes a plan, event first: its position is the version of what it changes.
local function apply(attempt, target, plan)
  local place, period = target.place, target.place.period
  local hidden = attempt.is_banned
  local old_key = plan.old and plan.old.place .. attempt.player
  local key = plan.place .. attempt.player
  local previous_rank = with_ranks and old_key and rank_of(period, old_key)
  local position = append(place.log, event_of(attempt, target, plan, hidden))
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
    local bytes = record_bytes(place, attempt)
    local span = remember(place.slots, attempt.id, attempt.fingerprint, outcome, attempt.now, span_ms, bytes)
    add_record(weights, span, bytes)
  end
  return outcome
end

-- The number of the first target whose new entry the tenant has no room for, if any, and the refusal's code. Opens the
-- count of entries wherever it is going to be written.
local function find_overfull(attempt, plans)
  local created, first = 0, nil
  for at, plan in ipairs(plans) do
    local place = attempt.targets[at].place
    if plan.status == CREATED then
      created, first = created + 1, first or at
    end
    if plan.status == CREATED or (not plan.replay and (place.is_new or place.period.expires_at ~= place.expires_at)) then
      open_held(held, place.name)
    end
  end
  if not first or not max_tenant_entries then
    return nil
  end
  local has_room = held.total and not held.counted_to and held.total + created <= max_tenant_entries
  if not has_room then
    drop_expired(held)
    if not held.is_exact or not held.total then
      return first, REFUSED.uncounted
    elseif held.total + created > max_tenant_entries then
      return first, REFUSED.tenant_full
    end
  end
end

-- The number of the first target whose idempotency record the tenant has no room for, if any.
local function find_overweight(attempt, plans)
  local bytes, first = 0, nil
  for at, plan in ipairs(plans) do
    if not plan.replay then
      bytes, first = bytes + record_bytes(attempt.targets[at].place, attempt), first or at
    end
  end
  if attempt.id ~= '' and first and weights.records + bytes > max_log_bytes then
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
  local overfull, refusal = find_overfull(attempt, plans)
  if overfull then
    return struct.pack('>BBI4', 1, refusal, overfull - 1)
  end
  local overweight = max_log_bytes and find_overweight(attempt, plans)
  if overweight then
    return struct.pack('>BBI4', 1, REFUSED.log_full, overweight - 1)
  end
  -- Everything has been read and can be written.
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
    publish(counters, channel, message .. table.concat(changed, ',') .. ']}')
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
  if places[at].is_behind then
    return {''}
  end
end

-- Looks at what is known of the attempts before anything is written: who is banned, and what the tenant's logs weigh.
local function open_attempts(attempts)
  local players = {}
  for at, attempt in ipairs(attempts) do
    players[at] = attempt.player
  end
  for at, record in ipairs(redis.call('HMGET', bans, unpack(players))) do
    attempts[at].is_banned = holds(record, attempts[at].now)
  end
  -- They have one instant, as a rule; what is read last holds for the call.
  for at = #attempts, 1, -1 do
    local span = math.floor(attempts[at].now / span_ms)
    if span ~= weights.span then
      read_weights(weights, span)
    end
  end
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

local attempts = {}
for at = 1, tonumber(take()) do
  attempts[at] = take_attempt()
end
if #attempts > 0 then
  open_attempts(attempts)
end
local answers = {}
for at, attempt in ipairs(attempts) do
  answers[at] = settle_attempt(attempt)
end
-- Last, because what meets data that no script has written is charged with nothing.
if meter then
  charge_all(meter)
  table.insert(answers, 1, metered(meter, false))
end

-- Trims the logs that were written, and all the more while the tenant's weigh too much.
local function close_logs()
  local over = 0
  if max_log_bytes and #attempts > 0 then
    over = weights.events + weights.records - max_log_bytes
    for _, place in ipairs(places) do
      over = over + place.log.weight
    end
  end
  for _, place in ipairs(places) do
    over = over - close_log(place.log, over)
  end
  close_weights(weights)
end

close_logs()
if channel ~= '' then
  announce(places)
end
return answers
