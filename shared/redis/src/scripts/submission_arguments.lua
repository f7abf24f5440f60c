-- The arguments of submit.lua. Needs arguments.lua, period.lua, rate_limits.lua, entry_counts.lua and log.lua.

local REQUEST_ARGUMENTS, PERIOD_REF_ARGUMENTS, CALL_ARGUMENTS = packed_format(15), packed_format(16), packed_format(2)
local SUBMISSION_ARGUMENTS, TARGET_ARGUMENTS = packed_format(6), packed_format(6)
local KEYS_OF_A_PERIOD = 6

local function read_optional_halves(text)
  if text == '' then
    return nil
  end
  local hi, lo = struct.unpack('>I4I4', text)
  return {hi, lo}
end

-- Reads what applies to the whole group.
local function read_request()
  local with_ranks, flags_at, banned_flag, kept_flag, metadata_flag, flagged_code, span_ms, bans_now, max_log_bytes,
    channel, message_head, window_ms, max_tenant_entries, period_ref_count, call_count, after =
    struct.unpack(REQUEST_ARGUMENTS, ARGV[1], next_byte)
  next_byte = after
  local request = {
    with_ranks = with_ranks == '1', span_ms = tonumber(span_ms), bans_now = tonumber(bans_now),
    max_log_bytes = tonumber(max_log_bytes), max_tenant_entries = tonumber(max_tenant_entries),
    period_ref_count = tonumber(period_ref_count), call_count = tonumber(call_count),
    -- Where an event has its flags, the flags, and the code of an event that has one of the flags `kept` and
    -- `metadata`.
    flags_at = flags_at + 1, banned_flag = banned_flag, kept_flag = kept_flag, metadata_flag = metadata_flag,
    flagged_code = flagged_code,
    -- The channel for announcements ('' for none), the beginning of the message, and for how many milliseconds a
    -- leaderboard is announced only once.
    channel = channel, message_head = message_head, window_ms = window_ms,
    bans = next_key(), bans_state = next_key(), entry_counts = new_entry_counts(next_key(), next_key()),
    log_sizes = new_log_sizes(next_key()), counters = next_key(),
    -- The logs that the group writes to, and each log by its stream: periods of a leaderboard share its log.
    logs = {},
  }
  if request.max_tenant_entries then
    read_leaderboard_keys(request.entry_counts)
  end
  return request
end

-- Returns the log of a stream, the same for each period of a leaderboard.
local function find_log(request, stream, configuration)
  local logs = request.logs
  if not logs[stream] then
    logs[stream] = new_log(stream, configuration, request.log_sizes)
    logs[#logs + 1] = logs[stream]
  end
  return logs[stream]
end

local function read_period_ref(request)
  local board, board_version, board_layout, descending, min, max, max_change, max_attempts, max_entries, id, bounds,
    starts_at, expires_at, meta_prefix, record_size, reopens, after =
    struct.unpack(PERIOD_REF_ARGUMENTS, ARGV[1], next_byte)
  next_byte = after
  local configuration, log = next_key(), next_key()
  local period_ref = {
    configuration = configuration, log = find_log(request, log, configuration),
    record_hashes = {next_key(), next_key(), spans = {}, bytes = {}}, periods = next_key(), announced = next_key(),
    period = period_from_keys(KEYS, keys_read + 1),
    board = board, board_version = board_version, board_layout = board_layout, descending = tonumber(descending),
    min = read_optional_halves(min), max = read_optional_halves(max), max_change = read_optional_halves(max_change),
    max_attempts = tonumber(max_attempts), max_entries = tonumber(max_entries),
    id = id, name = board .. ':' .. id, bounds = bounds, starts_at = starts_at, expires_at = tonumber(expires_at),
    meta_prefix = meta_prefix,
    -- The size of an idempotency record without its id: at least the size that `pack_outcome` and `put_record` produce.
    record_size = tonumber(record_size),
    -- Whether a late score reopens final standings.
    reopens = reopens == '1',
  }
  keys_read = keys_read + KEYS_OF_A_PERIOD
  return period_ref
end

local function read_target(period_refs)
  local period_ref, operator, tuple, time, event, is_refused, after =
    struct.unpack(TARGET_ARGUMENTS, ARGV[1], next_byte)
  next_byte = after
  return {
    period_ref = period_refs[tonumber(period_ref)], operator = tonumber(operator), tuple = tuple, time = time,
    event = event, is_refused = is_refused == '1',
  }
end

local function read_submission(period_refs)
  local player, metadata, now, id, fingerprint, target_count, after =
    struct.unpack(SUBMISSION_ARGUMENTS, ARGV[1], next_byte)
  next_byte = after
  local targets = {}
  for at = 1, tonumber(target_count) do
    targets[at] = read_target(period_refs)
  end
  return {
    player = player, metadata = metadata, now = tonumber(now), id = id, fingerprint = fingerprint, targets = targets,
  }
end

-- Reads a call of the group: a list of submissions.
local function read_call(period_refs)
  local is_charged, submission_count, after = struct.unpack(CALL_ARGUMENTS, ARGV[1], next_byte)
  next_byte = after
  local call = {charges = is_charged == '1' and read_charges(), is_batch = submission_count ~= '1'}
  for at = 1, tonumber(submission_count) do
    local submission = read_submission(period_refs)
    call[at], call.is_batch = submission, call.is_batch or #submission.targets > 1
  end
  return call
end
