-- Writes what submissions change. Needs submission_plans.lua and all that it needs, and publish.lua.

local PRUNED_PERIODS = 100

-- Writes a period's meta before its first entry, and removes some expired periods from the list of periods.
local function create_period(request, period_ref, submission)
  local period = period_ref.period
  -- An expired period of the same name can still be counted.
  drop_period_count(request.entry_counts, period_ref.name)
  redis.call('HSET', period.meta, 'l', period.layout, 'b', period_ref.bounds, 'v', 0)
  for _, id in ipairs(redis.call('ZRANGE', period_ref.periods, 0, PRUNED_PERIODS - 1)) do
    if redis.call('EXISTS', period_ref.meta_prefix .. id) == 0 then
      redis.call('ZREM', period_ref.periods, id)
    end
  end
  redis.call('ZADD', period_ref.periods, period_ref.starts_at, period_ref.id)
  if period_ref.expires_at then
    set_deadline(period, period_ref.expires_at, submission.now)
    record_deadline(request.entry_counts, period, period_ref.name)
  end
  period_ref.is_new = false
end

-- Packs an outcome. The outcome contains the layout, because a replay can return it under another configuration.
local function pack_outcome(period_ref, plan, version, rank, previous_rank)
  local period = period_ref.period
  local flags = (rank and 1 or 0) + (plan.old and 2 or 0) + 4
  rank, previous_rank = rank or 0, previous_rank or 0
  return struct.pack(
    '>BBBBI4I4I4I4I4I4', plan.status, period.columns, period_ref.descending, flags,
    math.floor(version / HALF), version % HALF, math.floor(rank / HALF), rank % HALF,
    math.floor(previous_rank / HALF), previous_rank % HALF)
    .. plan.tuple .. (plan.old and plan.old.tuple or '')
    .. string.char(#period.layout) .. period.layout .. period_ref.id
end

-- Returns the event of a plan. The client sends the event without metadata; the event of a submission that kept the
-- entry stays without metadata.
local function build_event(request, submission, target, plan, is_banned)
  local event, code, flags = target.event, nil, is_banned and request.banned_flag or 0
  if flags == 0 and plan.status ~= KEPT and submission.metadata == '' then
    return event
  end
  if plan.status == KEPT then
    code, flags = request.flagged_code, flags + request.kept_flag
  elseif submission.metadata ~= '' then
    event = event .. encode_varint(#submission.metadata - 1) .. string.sub(submission.metadata, 2)
    code, flags = request.flagged_code, flags + request.metadata_flag
  end
  return string.char(code or string.byte(event)) .. string.sub(event, 2, request.flags_at - 1)
    .. string.char(string.byte(event, request.flags_at) + flags) .. string.sub(event, request.flags_at + 1)
end

-- Writes a plan. The event comes first: its position is the version of everything that the plan changes.
local function write_plan(request, submission, target, plan)
  local period_ref, period = target.period_ref, target.period_ref.period
  local is_banned = submission.is_banned
  local old_key = plan.old and plan.old.prefix .. submission.player
  local key = plan.prefix .. submission.player
  local position = append_event(
    period_ref.log, build_event(request, submission, target, plan, is_banned), submission.now)
  if period_ref.is_new then
    create_period(request, period_ref, submission)
  elseif period.expires_at ~= period_ref.expires_at then
    set_deadline(period, period_ref.expires_at, submission.now)
    record_deadline(request.entry_counts, period, period_ref.name)
  end
  local packed = plan.prefix .. encode_varint(plan.attempts) .. plan.metadata
  if redis.call('HSET', period.entries, submission.player, packed) == 1 then
    add_entry_count(request.entry_counts, period, period_ref.name, 1)
  end
  local moved = move_entry(period, old_key, key, is_banned, plan.is_in_place)
  if period.freeze and plan.status ~= KEPT then
    redis.call('HDEL', period.meta, 'f')
    redis.call('HINCRBY', period.meta, 'o', 1)
    period.freeze = nil
  end
  if moved or plan.status ~= KEPT then
    -- `write_versions` stores the version.
    period.version, period_ref.is_changed = position, true
  end
  local rank = request.with_ranks and plan.previous_rank
  if request.with_ranks and (moved or not rank) then
    rank = compute_rank(period, key)
  end
  local outcome = pack_outcome(period_ref, plan, period.version, rank, plan.previous_rank)
  if submission.id ~= '' then
    local bytes = record_size(period_ref, submission)
    local span = put_record(period_ref.record_hashes, submission, outcome, request.span_ms, bytes)
    add_record_size(request.log_sizes, span, bytes)
  end
  return outcome
end

-- Applies a submission to all its targets, or returns the refusal of one of them.
local function apply_submission(request, submission)
  local plans = {}
  for at, target in ipairs(submission.targets) do
    local plan, refusal = plan_target(request, submission, target)
    if not plan then
      return struct.pack('>BBI4', 1, refusal, at - 1)
    end
    plans[at] = plan
  end
  local full, refusal = find_full_entry_quota(request, submission, plans)
  if full then
    return struct.pack('>BBI4', 1, refusal, full - 1)
  end
  full = request.max_log_bytes and find_full_log(request, submission, plans)
  if full then
    return struct.pack('>BBI4', 1, REFUSAL.log_full, full - 1)
  end
  -- From here on the script writes. Everything has been read and can be written.
  local reply = {'\0'}
  for at, target in ipairs(submission.targets) do
    local outcome = plans[at].replay or write_plan(request, submission, target, plans[at])
    reply[#reply + 1] = struct.pack('>BI4', plans[at].replay and 1 or 0, #outcome) .. outcome
  end
  return table.concat(reply)
end

-- Charges a call, then applies its submissions in order. Returns the strings of the reply (see submit.lua).
local function apply_call(request, call)
  local charges, reply = call.charges, {}
  if charges then
    request.limit_state = request.limit_state or new_limit_state()
    if not check_charges(request.limit_state, charges) then
      return {encode_decision(charges, true)}
    end
  end
  if load_call(request, call) then
    return {''}
  end
  for at, submission in ipairs(call) do
    reply[at] = apply_submission(request, submission)
  end
  -- The charge comes last: a call that fails because of damaged data costs nothing.
  if charges then
    apply_charges(request.limit_state, charges)
    table.insert(reply, 1, encode_decision(charges, false))
  end
  return reply
end

-- Errors after which the server refuses the other calls too, and the client opens another connection.
local SERVER_ERRORS = {READONLY = true, MASTERDOWN = true, NOREPLICAS = true}

-- Applies calls in order. A call that fails does not change the result of the others: its reply is its error. Returns
-- the replies of all calls as one list; or, when the failure of a call ends the script, the error.
local function apply_calls(request)
  local replies, count = {}, request.call_count
  for _, call in ipairs(request.calls) do
    local is_applied, reply = pcall(apply_call, request, call)
    if not is_applied then
      local text = type(reply) == 'table' and reply.err or tostring(reply)
      local code = string.match(text, '^(%u+) ')
      if not code then
        -- An error of Lua begins with a line of the script.
        text = 'ERR ' .. text
      end
      if count == 1 or SERVER_ERRORS[code] then
        return nil, {err = text}
      end
      reply = {'\2' .. text}
    end
    if count == 1 then
      return reply
    end
    for _, value in ipairs(reply) do
      replies[#replies + 1] = value
    end
  end
  return replies
end

-- Stores the versions of the changed periods.
local function write_versions(period_refs)
  for _, period_ref in ipairs(period_refs) do
    if period_ref.is_changed then
      redis.call('HSET', period_ref.period.meta, 'v', to_decimal(period_ref.period.version))
    end
  end
end

-- Announces to other regions which leaderboards changed, each leaderboard once in `request.window_ms`.
local function announce_changes(request, period_refs)
  local changed, positions = {}, {}
  for _, period_ref in ipairs(period_refs) do
    if period_ref.is_changed and redis.call('SET', period_ref.announced, '', 'PX', request.window_ms, 'NX') then
      changed[#changed + 1] = '"' .. period_ref.board .. '"'
      positions[#changed] = to_decimal(period_ref.log.position)
    end
  end
  if #changed > 0 then
    local message = request.message_head .. table.concat(changed, ',') .. '],"positions":['
    publish_message(request.counters, request.channel, message .. table.concat(positions, ',') .. ']}')
  end
end

-- Trims the written logs, and trims more while the tenant's logs exceed their limit.
local function close_logs(request)
  local excess, log_sizes = 0, request.log_sizes
  if request.max_log_bytes and log_sizes.events then
    excess = log_sizes.events + log_sizes.records - request.max_log_bytes
    for _, log in ipairs(request.logs) do
      excess = excess + log.added_bytes
    end
  end
  for _, log in ipairs(request.logs) do
    excess = excess - close_log(log, excess)
  end
  write_log_sizes(log_sizes)
end
