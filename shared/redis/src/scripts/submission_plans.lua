-- What a submission will change: what is read and checked before its first write. Needs period.lua, bans.lua,
-- entry_counts.lua, log.lua, idempotency.lua and entry_rules.lua.

-- Reads a leaderboard's state and its period, once for the group.
local function load_period_ref(request, period_ref)
  if period_ref.is_loaded then
    return
  end
  local v, s, k, d, f, n, o, i = unpack(
    redis.call('HMGET', period_ref.configuration, 'v', 's', 'k', 'd', 'f', 'n', 'o', 'i'))
  period_ref.is_stale = v ~= period_ref.board_version
  if period_ref.is_stale then
    return
  end
  request.ban_state = request.ban_state or read_ban_state(request.bans_state)
  period_ref.has_pending_bans = has_pending_bans(request.ban_state, s, request.bans_now)
  local period = load_period(period_ref.period)
  period_ref.is_new = not period.layout
  if period_ref.is_new then
    set_layout(period, period_ref.board_layout)
    redis.call('ZCARD', period_ref.periods)
  end
  period_ref.is_reordered = period.layout ~= period_ref.board_layout
  period_ref.is_rebuilding = period.rebuilt_until and now_us() < period.rebuilt_until * 1000
  if period.freeze and string.find(period.freeze, '\n.*\n') then
    -- Standings with prizes, which players could claim twice (see standings.lua).
    period_ref.reopens = false
  end
  set_log_fields(period_ref.log, k, d, f, n, o, i)
  period_ref.is_loaded = true
end

-- Checks the types of all keys that the call can change before its first write, once for the group. Later submissions
-- are planned after earlier ones have written.
local function check_batch_types(period_ref)
  if period_ref.is_loaded and not period_ref.is_checked then
    check_period_types(period_ref.period)
    redis.call('XLEN', period_ref.log.stream)
    period_ref.is_checked = true
  end
end

-- Reads the rank of the entry before the submission, and checks the types of the keys that the plan changes. An entry
-- that is found at its place shows that all of them are right: the write adds to the log first, which checks itself.
local function find_place(request, submission, period, plan)
  if plan.old and request.with_ranks then
    local is_visible
    plan.previous_rank, is_visible = compute_rank(period, plan.old.prefix .. submission.player)
    plan.is_in_place = is_visible and not submission.is_banned
  end
  if not plan.is_in_place and not submission.is_in_batch then
    check_period_types(period)
  end
  check_tuple_counts(period, plan.prefix, plan.old and plan.old.prefix)
end

-- Plans one target without a write. Returns a plan; or nil and the code of the refusal.
local function plan_target(request, submission, target)
  local period_ref = target.period_ref
  if period_ref.is_stale then
    return nil, REFUSAL.stale
  end
  if submission.id ~= '' then
    local fingerprint, outcome = find_record(period_ref.record_hashes, submission.id, submission.now, request.span_ms)
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
  elseif period_ref.period.freeze and not period_ref.reopens then
    return nil, REFUSAL.final
  end
  local plan, refusal = plan_entry(period_ref, submission, target)
  if plan then
    find_place(request, submission, period_ref.period, plan)
  end
  return plan, refusal
end

-- Reads the bans of the players of all calls, once for the group.
local function load_ban_records(request)
  if request.has_ban_records or not (request.ban_state and request.ban_state.has_bans) then
    return
  end
  local submissions, players = {}, {}
  for _, call in ipairs(request.calls) do
    for _, submission in ipairs(call) do
      submissions[#submissions + 1], players[#players + 1] = submission, submission.player
    end
  end
  for at, record in ipairs(redis.call('HMGET', request.bans, unpack(players))) do
    submissions[at].ban_record = record
  end
  request.has_ban_records = true
end

-- Reads what a call needs before its first write. Returns whether its leaderboards have pending bans.
local function load_call(request, call)
  for _, submission in ipairs(call) do
    for _, target in ipairs(submission.targets) do
      load_period_ref(request, target.period_ref)
      if target.period_ref.has_pending_bans then
        return true
      elseif call.is_batch then
        check_batch_types(target.period_ref)
      end
    end
  end
  load_ban_records(request)
  -- Submissions usually share one instant. The span of the first submission is read last, so it applies to the call.
  for at = #call, 1, -1 do
    local submission = call[at]
    submission.is_in_batch = call.is_batch
    submission.is_banned = is_ban_active(submission.ban_record, submission.now)
    local span = math.floor(submission.now / request.span_ms)
    if span ~= request.log_sizes.span then
      load_log_sizes(request.log_sizes, span)
    end
  end
  return false
end

-- Returns the size of a submission's idempotency record before the record exists.
local function record_size(period_ref, submission)
  return period_ref.record_size + #submission.id
end

-- Returns the index of the first target whose new entry exceeds the tenant's entry quota, and the code of the
-- refusal; nil when the quota holds. Reads every entry count that the plans change.
local function find_full_entry_quota(request, submission, plans)
  local created, first = 0, nil
  for at, plan in ipairs(plans) do
    local period_ref = submission.targets[at].period_ref
    if plan.status == CREATED then
      created, first = created + 1, first or at
    end
    local sets_deadline = period_ref.is_new or period_ref.period.expires_at ~= period_ref.expires_at
    if plan.status == CREATED or (not plan.replay and sets_deadline) then
      load_entry_counts(request.entry_counts, period_ref.name)
    end
  end
  if not first or not request.max_tenant_entries then
    return nil
  end
  local is_counted = request.entry_counts.total and not request.entry_counts.counted_to
  if not is_counted or request.entry_counts.total + created > request.max_tenant_entries then
    drop_expired_counts(request.entry_counts)
    if not request.entry_counts.is_exact or not request.entry_counts.total then
      return first, REFUSAL.uncounted
    elseif request.entry_counts.total + created > request.max_tenant_entries then
      return first, REFUSAL.tenant_full
    end
  end
end

-- Returns the index of the first target whose idempotency record exceeds the tenant's log limit, or nil.
local function find_full_log(request, submission, plans)
  local bytes, first = 0, nil
  for at, plan in ipairs(plans) do
    if not plan.replay then
      bytes, first = bytes + record_size(submission.targets[at].period_ref, submission), first or at
    end
  end
  if submission.id ~= '' and first and request.log_sizes.records + bytes > request.max_log_bytes then
    return first
  end
end
