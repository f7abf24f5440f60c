-- The arguments of submit.lua. Needs arguments.lua, period.lua, rate_limits.lua, entry_counts.lua and log.lua.

local KEYS_OF_A_PERIOD = 6

local function read_optional_halves(text)
  if text == '' then
    return nil
  end
  local hi, lo = struct.unpack('>I4I4', text)
  return {hi, lo}
end

-- Reads what applies to the whole call.
local function read_request()
  local request = {with_ranks = next_argument() == '1', flags_at = tonumber(next_argument()) + 1}
  request.banned_flag, request.kept_flag = tonumber(next_argument()), tonumber(next_argument())
  request.metadata_flag = tonumber(next_argument())
  -- The code of an event that has one of the flags `kept` and `metadata`.
  request.flagged_code = tonumber(next_argument())
  request.span_ms = tonumber(next_argument())
  request.bans, request.bans_state, request.bans_now = next_key(), next_key(), tonumber(next_argument())
  request.entry_counts = new_entry_counts(next_key(), next_key())
  request.log_sizes = new_log_sizes(next_key())
  request.charges = next_argument() == '1' and read_charges()
  request.max_tenant_entries = tonumber(next_argument())
  if request.max_tenant_entries then
    read_leaderboard_keys(request.entry_counts)
  end
  request.max_log_bytes = tonumber(next_argument())
  -- The channel for announcements ('' for none), the beginning of the message, and for how many milliseconds a
  -- leaderboard is announced only once.
  request.channel, request.message_head, request.window_ms = next_argument(), next_argument(), next_argument()
  request.counters = next_key()
  return request
end

local function read_period_ref(request)
  local period_ref = {configuration = next_key(), log = next_key(), record_hashes = {next_key(), next_key()}}
  period_ref.periods, period_ref.announced = next_key(), next_key()
  period_ref.log = new_log(period_ref.log, period_ref.configuration, request.log_sizes)
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

local function read_submission(period_refs)
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
