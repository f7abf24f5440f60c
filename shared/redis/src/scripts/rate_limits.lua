-- Rate limits (GCRA, the generic cell rate algorithm) and usage: a request is charged completely or not at all. Needs
-- numbers.lua, arguments.lua and clock.lua.
--
-- A bucket holds its theoretical arrival time (TAT) as a double of whole microseconds, and expires when that time has
-- passed. A missing bucket therefore has its whole burst. `tat_ahead` is how far the TAT is ahead of now. Usage is
-- one hash of the tenant: fields `r` and `s` with the day (since 1970, by the server's clock) hold the day's requests
-- and scores. The hash expires with its last day.

local CHARGES_ARGUMENTS, CHARGE_ARGUMENTS = packed_format(7), packed_format(4)
local DAY_US = 86400000000
local DAY_S = 86400
local BUCKET_BYTES = 8
-- Above this, a double is not exact for every integer; no instant is that far away.
local MAX_EXACT_US = 9007199254740992

-- KEYS: the usage, then a bucket for each charge. ARGV: requests, scores, the daily quota of requests ('' for none),
-- by how many bursts a bucket can be overdrawn, by how many microseconds it can be overdrawn if those are more, for
-- how many days usage is kept, the number of charges, and for each charge: emission interval (µs), burst, the units
-- that must be free ('' for none), cost in units.
local function read_charges()
  local requests, scores, daily_quota, overdraft_bursts, overdraft_us, kept_days, count, after =
    struct.unpack(CHARGES_ARGUMENTS, ARGV[1], next_byte)
  local charges = {
    usage_key = next_key(), requests = tonumber(requests), scores = tonumber(scores),
    daily_quota = tonumber(daily_quota), overdraft_bursts = tonumber(overdraft_bursts),
    overdraft_us = tonumber(overdraft_us), kept_days = tonumber(kept_days),
  }
  for at = 1, tonumber(count) do
    local interval, burst, required, cost
    interval, burst, required, cost, after = struct.unpack(CHARGE_ARGUMENTS, ARGV[1], after)
    charges[at] = {
      bucket = next_key(), burst_tolerance = interval * burst, cost_us = interval * cost,
      required_us = required ~= '' and interval * required,
    }
  end
  next_byte = after
  return charges
end

-- Returns by how many microseconds a bucket's TAT is ahead of now.
local function read_tat_ahead(bucket, now)
  local stored_tat = redis.call('GET', bucket)
  if not stored_tat then
    return 0
  end
  local tat = #stored_tat == BUCKET_BYTES and struct.unpack('>d', stored_tat)
  -- NaN fails every comparison, so this also finds NaN.
  if not (tat and tat >= 0 and tat <= MAX_EXACT_US) then
    corrupt('bucket')
  end
  return math.max(0, tat - now)
end

-- The usage and the buckets of a tenant while a script runs: `check_charges` reads each value once, and `write_charges`
-- writes it once, so that the requests of a group share both. `ahead`: how far the TAT of each bucket is ahead of now.
local function new_limit_state()
  return {ahead = {}, changed = {}}
end

-- Reads the day's usage, once for the script.
local function load_usage(state, charges)
  if state.usage_key then
    return
  end
  state.day = string.format('%d', now_us() / DAY_US)
  local used = redis.call('HMGET', charges.usage_key, 'r' .. state.day, 's' .. state.day)
  local requests, scores = parse_optional_count(used[1], 'usage') or 0, parse_optional_count(used[2], 'usage') or 0
  state.requests_before, state.scores_before, state.requests, state.scores = requests, scores, requests, scores
  state.usage_key, state.kept_days = charges.usage_key, charges.kept_days
end

-- Reads every value and writes nothing. Returns whether the request conforms to all limits.
local function check_charges(state, charges)
  load_usage(state, charges)
  charges.requests_today = state.requests
  local conforms = not charges.daily_quota or state.requests + charges.requests <= charges.daily_quota
  for _, charge in ipairs(charges) do
    charge.tat_ahead = state.ahead[charge.bucket] or read_tat_ahead(charge.bucket, now_us())
    state.ahead[charge.bucket] = charge.tat_ahead
    if charge.required_us and charge.tat_ahead + charge.required_us > charge.burst_tolerance then
      conforms = false
    end
  end
  return conforms
end

-- The first usage of a day deletes the fields of expired days and extends the hash's lifetime, so that an unused
-- tenant leaves no data.
local function begin_day(state)
  redis.call('EXPIRE', state.usage_key, state.kept_days * DAY_S)
  for _, field in ipairs(redis.call('HKEYS', state.usage_key)) do
    local day = tonumber(string.sub(field, 2))
    if day and day <= tonumber(state.day) - state.kept_days then
      redis.call('HDEL', state.usage_key, field)
    end
  end
end

-- Charges everything. `check_charges` has shown that every value can be written; `write_charges` writes them.
local function apply_charges(state, charges)
  state.requests, state.scores = state.requests + charges.requests, state.scores + charges.scores
  charges.requests_today = state.requests
  for _, charge in ipairs(charges) do
    if charge.cost_us > 0 then
      local overdraft = math.max(charge.burst_tolerance * charges.overdraft_bursts, charges.overdraft_us)
      local max_tat_ahead = math.max(charge.tat_ahead, overdraft)
      charge.tat_ahead = math.min(charge.tat_ahead + charge.cost_us, max_tat_ahead)
      state.ahead[charge.bucket], state.changed[charge.bucket] = charge.tat_ahead, true
    end
  end
end

-- Writes what was charged.
local function write_charges(state)
  local used, is_first = {}, state.requests_before == 0
  if state.requests ~= state.requests_before then
    used = {'r' .. state.day, to_decimal(state.requests)}
  end
  if state.scores ~= state.scores_before then
    is_first = is_first and state.scores_before == 0
    used[#used + 1], used[#used + 2] = 's' .. state.day, to_decimal(state.scores)
  end
  if #used > 0 then
    redis.call('HSET', state.usage_key, unpack(used))
  end
  if #used > 0 and is_first then
    begin_day(state)
  end
  for bucket in pairs(state.changed) do
    local ahead = state.ahead[bucket]
    redis.call('SET', bucket, struct.pack('>d', now_us() + ahead), 'PX', to_decimal(math.ceil(ahead / 1000)))
  end
end

-- Encodes the decision in one string: a 1 when the request was refused, otherwise a 0; then as int64 the day's
-- requests and for each bucket how far its TAT is ahead of now (µs).
local function encode_decision(charges, refused)
  local reply = {refused and '\1' or '\0', encode_int(charges.requests_today)}
  for at, charge in ipairs(charges) do
    reply[at + 2] = encode_int(charge.tat_ahead)
  end
  return table.concat(reply)
end
