-- Charges a request, then applies its submissions in order, each to all its targets or to none of them. Needs
-- numbers.lua, period.lua, arguments.lua, clock.lua, publish.lua, rate_limits.lua, entry_counts.lua, log.lua,
-- bans.lua, idempotency.lua and entry_rules.lua.
--
-- KEYS and ARGV: see `build_call` in submit.rs. The script reads them from front to back.
-- Returns the rate-limit decision when the request is charged, and only the decision when it is refused. Then one
-- string for each submission: either a 0 and for each target a 1 for a replay or a 0, the length of the outcome, the
-- outcome; or a 1, the code of the refusal, and the index of the target that was refused. Returns only '' when one of
-- the leaderboards has pending bans; the script has then charged and applied nothing.

local KEYS_OF_A_PERIOD = 6
local PRUNED_PERIODS = 100

local function read_optional_halves(text)
  if text == '' then
    return nil
  end
  local hi, lo = struct.unpack('>I4I4', text)
  return {hi, lo}
end

local with_ranks = next_argument() == '1'
local flags_at = tonumber(next_argument()) + 1
local banned_flag, kept_flag = tonumber(next_argument()), tonumber(next_argument())
local metadata_flag = tonumber(next_argument())
-- The code of an event that has one of the flags `kept` and `metadata`.
local flagged_code = tonumber(next_argument())
local span_ms = tonumber(next_argument())
local bans, bans_state, bans_now = next_key(), next_key(), tonumber(next_argument())
local entry_counts = new_entry_counts(next_key(), next_key())
local log_sizes = new_log_sizes(next_key())
local charges = next_argument() == '1' and read_charges()
local max_tenant_entries = tonumber(next_argument())
if max_tenant_entries then
  read_leaderboard_keys(entry_counts)
end
local max_log_bytes = tonumber(next_argument())
-- The channel for announcements ('' for none), the beginning of the message, and for how many milliseconds a
-- leaderboard is announced only once.
local channel, message_head, window_ms = next_argument(), next_argument(), next_argument()
local counters = next_key()

local function read_period_ref()
  local period_ref = {configuration = next_key(), log = next_key(), record_hashes = {next_key(), next_key()}}
  period_ref.periods, period_ref.announced = next_key(), next_key()
  period_ref.log = new_log(period_ref.log, period_ref.configuration, log_sizes)
  period_ref.period = period_from_keys(KEYS, keys_read + 1)
  keys_read = keys_read + KEYS_OF_A_PERIOD
  period_ref.board = next_argument()
  period_ref.board_version = next_argument()
  period_ref.board_layout = next_argument()
  period_ref.descending = tonumber(next_argument())
  period_ref.min = read_optional_halves(next_argument())
  period_ref.max = read_optional_halves(next_argument())
  period_ref.max_change = read_optional_halves(next_argument())
  period_ref.max_attempts = tonumber(next_argument())
  period_ref.max_entries = tonumber(next_argument())
  period_ref.id = next_argument()
  period_ref.name = period_ref.board .. ':' .. period_ref.id
  period_ref.bounds = next_argument()
  period_ref.starts_at = next_argument()
  period_ref.expires_at = tonumber(next_argument())
  period_ref.meta_prefix = next_argument()
  -- The size of an idempotency record without its id: at least the size that `pack_outcome` and `put_record` produce.
  period_ref.record_size = tonumber(next_argument())
  return period_ref
end

-- Reads a leaderboard's state and its period before the first write.
local function load_period_ref(period_ref)
  local known = redis.call('HMGET', period_ref.configuration, 'v', 'k', 'd', 'f', 'n', 's')
  period_ref.is_stale = known[1] ~= period_ref.board_version
  if period_ref.is_stale then
    return
  end
  period_ref.has_pending_bans = has_pending_bans(bans_state, known[6], bans_now)
  local period = load_period(period_ref.period)
  period_ref.is_new = not period.layout
  if period_ref.is_new then
    set_layout(period, period_ref.board_layout)
    redis.call('ZCARD', period_ref.periods)
  end
  period_ref.is_reordered = period.layout ~= period_ref.board_layout
  period_ref.is_rebuilding = period.rebuilt_until and now_us() < period.rebuilt_until * 1000
  check_period_types(period)
  load_log(period_ref.log, {known[2], known[3], known[4], known[5]})
end

-- Plans one target without a write. Returns a plan; or nil and the code of the refusal.
local function plan_target(submission, target)
  local period_ref = target.period_ref
  if period_ref.is_stale then
    return nil, REFUSAL.stale
  end
  if submission.id ~= '' then
    local fingerprint, outcome = find_record(period_ref.record_hashes, submission.id, submission.now, span_ms)
    if fingerprint == submission.fingerprint then
      return {replay = outcome}
    elseif fingerprint then
      return nil, REFUSAL.conflict
    end
  end
  if target.is_refused then
    return nil, REFUSAL.caller
  end
  if period_ref.is_reordered then
    return nil, REFUSAL.reordered
  elseif period_ref.is_rebuilding then
    return nil, REFUSAL.rebuilding
  end
  local plan, refusal = plan_entry(period_ref, submission, target)
  if plan then
    check_tuple_counts(period_ref.period, plan.prefix, plan.old and plan.old.prefix)
  end
  return plan, refusal
end

-- Writes a period's meta before its first entry, and removes some expired periods from the list of periods.
local function create_period(period_ref, submission)
  local period = period_ref.period
  -- An expired period of the same name can still be counted.
  drop_period_count(entry_counts, period_ref.name)
  redis.call('HSET', period.meta, 'l', period.layout, 'b', period_ref.bounds, 'v', 0)
  for _, id in ipairs(redis.call('ZRANGE', period_ref.periods, 0, PRUNED_PERIODS - 1)) do
    if redis.call('EXISTS', period_ref.meta_prefix .. id) == 0 then
      redis.call('ZREM', period_ref.periods, id)
    end
  end
  redis.call('ZADD', period_ref.periods, period_ref.starts_at, period_ref.id)
  if period_ref.expires_at then
    set_deadline(period, period_ref.expires_at, submission.now)
    record_deadline(entry_counts, period, period_ref.name)
  end
  period_ref.is_new = false
end

-- Packs an outcome. The outcome contains the layout, because a replay can return it under another configuration.
local function pack_outcome(period_ref, plan, version, rank, previous_rank)
  local period = period_ref.period
  local flags = (rank and 1 or 0) + (plan.old and 2 or 0) + 4
  return struct.pack('BBBB', plan.status, period.columns, period_ref.descending, flags)
    .. encode_int(version) .. encode_int(rank or 0) .. encode_int(previous_rank or 0)
    .. plan.tuple .. (plan.old and plan.old.tuple or '')
    .. string.char(#period.layout) .. period.layout .. period_ref.id
end

-- Returns the event of a plan. The client sends the event without metadata; the event of a submission that kept the
-- entry stays without metadata.
local function build_event(submission, target, plan, is_banned)
  local event, code, flags = target.event, nil, is_banned and banned_flag or 0
  if plan.status == KEPT then
    code, flags = flagged_code, flags + kept_flag
  elseif submission.metadata ~= '' then
    event = event .. encode_varint(#submission.metadata - 1) .. string.sub(submission.metadata, 2)
    code, flags = flagged_code, flags + metadata_flag
  end
  return string.char(code or string.byte(event)) .. string.sub(event, 2, flags_at - 1)
    .. string.char(string.byte(event, flags_at) + flags) .. string.sub(event, flags_at + 1)
end

-- Returns the size of a submission's idempotency record before the record exists.
local function record_size(period_ref, submission)
  return period_ref.record_size + #submission.id
end

-- Writes a plan. The event comes first: its position is the version of everything that the plan changes.
local function write_plan(submission, target, plan)
  local period_ref, period = target.period_ref, target.period_ref.period
  local is_banned = submission.is_banned
  local old_key = plan.old and plan.old.prefix .. submission.player
  local key = plan.prefix .. submission.player
  local previous_rank = with_ranks and old_key and compute_rank(period, old_key)
  local position = append_event(period_ref.log, build_event(submission, target, plan, is_banned))
  if period_ref.is_new then
    create_period(period_ref, submission)
  elseif period.expires_at ~= period_ref.expires_at then
    set_deadline(period, period_ref.expires_at, submission.now)
    record_deadline(entry_counts, period, period_ref.name)
  end
  local packed = plan.prefix .. encode_varint(plan.attempts) .. plan.metadata
  if redis.call('HSET', period.entries, submission.player, packed) == 1 then
    add_entry_count(entry_counts, period, period_ref.name, 1)
  end
  local moved = move_entry(period, old_key, key, is_banned)
  if moved or plan.status ~= KEPT then
    period.version, period_ref.is_changed = position, true
    redis.call('HSET', period.meta, 'v', position)
    copy_deadline(period)
  end
  local rank = with_ranks and ((moved or not previous_rank) and compute_rank(period, key) or previous_rank)
  local outcome = pack_outcome(period_ref, plan, period.version, rank, previous_rank)
  if submission.id ~= '' then
    local bytes = record_size(period_ref, submission)
    local span = put_record(period_ref.record_hashes, submission, outcome, span_ms, bytes)
    add_record_size(log_sizes, span, bytes)
  end
  return outcome
end

-- Returns the index of the first target whose new entry exceeds the tenant's entry quota, and the code of the
-- refusal; nil when the quota holds. Reads every entry count that the plans change.
local function find_full_entry_quota(submission, plans)
  local created, first = 0, nil
  for at, plan in ipairs(plans) do
    local period_ref = submission.targets[at].period_ref
    if plan.status == CREATED then
      created, first = created + 1, first or at
    end
    local sets_deadline = period_ref.is_new or period_ref.period.expires_at ~= period_ref.expires_at
    if plan.status == CREATED or (not plan.replay and sets_deadline) then
      load_entry_counts(entry_counts, period_ref.name)
    end
  end
  if not first or not max_tenant_entries then
    return nil
  end
  local is_counted = entry_counts.total and not entry_counts.counted_to
  if not is_counted or entry_counts.total + created > max_tenant_entries then
    drop_expired_counts(entry_counts)
    if not entry_counts.is_exact or not entry_counts.total then
      return first, REFUSAL.uncounted
    elseif entry_counts.total + created > max_tenant_entries then
      return first, REFUSAL.tenant_full
    end
  end
end

-- Returns the index of the first target whose idempotency record exceeds the tenant's log limit, or nil.
local function find_full_log(submission, plans)
  local bytes, first = 0, nil
  for at, plan in ipairs(plans) do
    if not plan.replay then
      bytes, first = bytes + record_size(submission.targets[at].period_ref, submission), first or at
    end
  end
  if submission.id ~= '' and first and log_sizes.records + bytes > max_log_bytes then
    return first
  end
end

-- Applies a submission to all its targets, or returns the refusal of one of them.
local function apply_submission(submission)
  local plans = {}
  for at, target in ipairs(submission.targets) do
    local plan, refusal = plan_target(submission, target)
    if not plan then
      return struct.pack('>BBI4', 1, refusal, at - 1)
    end
    plans[at] = plan
  end
  local full, refusal = find_full_entry_quota(submission, plans)
  if full then
    return struct.pack('>BBI4', 1, refusal, full - 1)
  end
  full = max_log_bytes and find_full_log(submission, plans)
  if full then
    return struct.pack('>BBI4', 1, REFUSAL.log_full, full - 1)
  end
  -- From here on the script writes. Everything has been read and can be written.
  local reply = {'\0'}
  for at, target in ipairs(submission.targets) do
    local outcome = plans[at].replay or write_plan(submission, target, plans[at])
    reply[#reply + 1] = struct.pack('>BI4', plans[at].replay and 1 or 0, #outcome) .. outcome
  end
  return table.concat(reply)
end

-- Announces to other regions which leaderboards changed, each leaderboard once in `window_ms`.
local function announce_changes(period_refs)
  local changed = {}
  for _, period_ref in ipairs(period_refs) do
    if period_ref.is_changed and redis.call('SET', period_ref.announced, '', 'PX', window_ms, 'NX') then
      changed[#changed + 1] = '"' .. period_ref.board .. '"'
    end
  end
  if #changed > 0 then
    publish_message(counters, channel, message_head .. table.concat(changed, ',') .. ']}')
  end
end

local conforms = not charges or check_charges(charges)
if not conforms then
  return {encode_decision(charges, true)}
end

local period_refs = {}
for at = 1, tonumber(next_argument()) do
  period_refs[at] = read_period_ref()
  load_period_ref(period_refs[at])
  if period_refs[at].has_pending_bans then
    return {''}
  end
end

-- Reads, before the first write, which players are banned and the size of the tenant's logs.
local function load_submissions(submissions)
  local players = {}
  for at, submission in ipairs(submissions) do
    players[at] = submission.player
  end
  for at, record in ipairs(redis.call('HMGET', bans, unpack(players))) do
    submissions[at].is_banned = is_ban_active(record, submissions[at].now)
  end
  -- Submissions usually share one instant. The span of the first submission is read last, so it applies to the call.
  for at = #submissions, 1, -1 do
    local span = math.floor(submissions[at].now / span_ms)
    if span ~= log_sizes.span then
      load_log_sizes(log_sizes, span)
    end
  end
end

local function read_submission()
  local submission = {player = next_argument(), metadata = next_argument(), now = tonumber(next_argument())}
  submission.id, submission.fingerprint, submission.targets = next_argument(), next_argument(), {}
  for at = 1, tonumber(next_argument()) do
    local target = {period_ref = period_refs[tonumber(next_argument())], operator = tonumber(next_argument())}
    target.tuple, target.time, target.event = next_argument(), next_argument(), next_argument()
    target.is_refused = next_argument() == '1'
    submission.targets[at] = target
  end
  return submission
end

local submissions = {}
for at = 1, tonumber(next_argument()) do
  submissions[at] = read_submission()
end
if #submissions > 0 then
  load_submissions(submissions)
end
local replies = {}
for at, submission in ipairs(submissions) do
  replies[at] = apply_submission(submission)
end
-- The charge comes last: a call that fails because of damaged data costs nothing.
if charges then
  apply_charges(charges)
  table.insert(replies, 1, encode_decision(charges, false))
end

-- Trims the written logs, and trims more while the tenant's logs exceed their limit.
local function close_logs()
  local excess = 0
  if max_log_bytes and #submissions > 0 then
    excess = log_sizes.events + log_sizes.records - max_log_bytes
    for _, period_ref in ipairs(period_refs) do
      excess = excess + period_ref.log.added_bytes
    end
  end
  for _, period_ref in ipairs(period_refs) do
    excess = excess - close_log(period_ref.log, excess)
  end
  write_record_sizes(log_sizes)
end

close_logs()
if channel ~= '' then
  announce_changes(period_refs)
end
return replies
