-- The log of a leaderboard: how many events it keeps, and how large a tenant's logs and idempotency records are.
-- Needs numbers.lua.
--
-- Beside the configuration, the configuration's hash holds the log's retention and size. `k` and `d`: how many events
-- the log keeps and for how many milliseconds. `n`: the size of the counted events. `f`: the position of the first
-- counted event; a log that is older than the counting has uncounted events before that position. `o` and `i`: the
-- position and the instant of the oldest event, as the last trim found it. So a call knows whether it has to trim
-- without a look at the log. An earlier version of this code trims and leaves both fields as they are: the real oldest
-- event is never older than `o` and `i` say, and the next trim corrects them.
--
-- One hash of the tenant holds the size of the events of all its logs in `e`, and the size of the idempotency records
-- of each span (see idempotency.lua) in `b` followed by the span's number. A record counts in its own span and in the
-- next span. The hash that holds a leaderboard's records also holds their size.
--
-- An earlier version stored the number of records in a field with only the span's number. Each such record counts
-- EARLIER_RECORD_BYTES until its span has expired, also after its leaderboard has been deleted: a hash with records
-- of both versions does not say how many are of the earlier version.

-- The defaults of core's LogPolicy, for a configuration stored before it had one.
local KEEP_EVENTS, KEEP_MS = 100000, 2592000000
local EVENT_OVERHEAD, EARLIER_RECORD_BYTES = 32, 256
-- How many events a call removes at most, beside two for each event that it appends.
local TRIMMED_AT_ONCE = 16
-- The codes of submitted events. Their instant follows the flags.
local SUBMITTED_EVENTS = {[2] = true, [6] = true}

local LOG_SIZE = 'size of a log'
-- The field of a hash of idempotency records that holds their size. No id contains this character.
local RECORD_BYTES_FIELD = '\1'

-- `new_events`: by how much this call changes the size of the events. `by_span`: the size of the records of each span
-- that the script has read, and `new_records` what this call adds to it.
local function new_log_sizes(key)
  return {key = key, new_events = 0, by_span = {}, new_records = {}}
end

local function new_log(stream, configuration, log_sizes)
  return {stream = stream, configuration = configuration, log_sizes = log_sizes, added = 0, added_bytes = 0}
end

-- Reads the size of a tenant's events before the first write. `load_log_sizes` reads that size too.
local function load_events_size(log_sizes)
  if not log_sizes.events then
    log_sizes.events = parse_optional_count(redis.call('HGET', log_sizes.key, 'e'), LOG_SIZE) or 0
  end
end

-- Parses the log's fields that the caller has read, before the first write, so that a damaged number is found.
-- `k`, `d`, `f`, `n`, `o` and `i`: the fields of the log. The caller reads the log sizes itself, and checks the type of
-- the stream unless its first write is an event of this log.
local function set_log_fields(log, k, d, f, n, o, i)
  log.keep_events = parse_optional_count(k, 'retention of the log') or KEEP_EVENTS
  log.keep_ms = parse_optional_count(d, 'retention of the log') or KEEP_MS
  log.counted_from = parse_optional_count(f, 'first event that is counted')
  log.bytes = parse_optional_count(n, LOG_SIZE) or 0
  log.oldest = parse_optional_count(o, 'oldest event')
  log.oldest_at = parse_optional_integer(i, 'oldest event')
end

-- Reads the log's fields, and the tenant's log sizes, before the first write.
local function load_log(log)
  set_log_fields(log, unpack(redis.call('HMGET', log.configuration, 'k', 'd', 'f', 'n', 'o', 'i')))
  redis.call('XLEN', log.stream)
  load_events_size(log.log_sizes)
  return log
end

-- Returns the instant of an event in milliseconds, or nil when the bytes are not an event.
local function read_recorded_at(event)
  local number = read_varint(event, SUBMITTED_EVENTS[string.byte(event)] and 3 or 2)
  if not number then
    return nil
  end
  return number % 2 == 0 and number / 2 or -(number + 1) / 2
end

-- Appends an event and returns its position: the second half of the stream entry's id, which Redis increments.
-- `instant`: when the event was recorded, if the caller knows it.
local function append_event(log, event, instant)
  local position = tonumber(string.sub(redis.call('XADD', log.stream, '0-*', 'e', event), 3))
  log.first, log.position = log.first or position, position
  log.added, log.added_bytes = log.added + 1, log.added_bytes + #event + EVENT_OVERHEAD
  log.latest = instant or read_recorded_at(event)
  return position
end

-- Returns whether the log can have more events than it may have.
local function needs_trim(log, excess)
  local oldest, oldest_at = log.oldest, log.oldest_at
  -- A log that was lost has begun again, before its oldest event.
  return not oldest or not oldest_at or oldest > log.first or excess > 0
    or log.position - oldest >= log.keep_events or oldest_at < log.latest - log.keep_ms
end

-- Removes the oldest events that exceed the number, the age or the size (by `excess`) that the log may have. Keeps
-- the events that this call appended. Returns the size of the removed events that had been counted.
local function trim_log(log, excess)
  local surplus = redis.call('XLEN', log.stream) - log.keep_events
  local left, from, last, freed = TRIMMED_AT_ONCE + 2 * log.added, '-', nil, 0
  while left > 0 do
    local wanted = math.min(left, log.added + 1)
    local oldest = redis.call('XRANGE', log.stream, from, '+', 'COUNT', wanted)
    left = #oldest == wanted and left - wanted or 0
    for _, entry in ipairs(oldest) do
      local position, event = tonumber(string.sub(entry[1], 3)), entry[2][2] or ''
      local instant = read_recorded_at(event) or log.latest
      local is_old = instant < log.latest - log.keep_ms
      if position >= log.first or not (is_old or surplus > 0 or freed < excess) then
        log.oldest, log.oldest_at, left = position, instant, 0
        break
      end
      surplus, last = surplus - 1, position
      -- If this call removes no more, the next call looks for more: the next event counts as too old.
      log.oldest, log.oldest_at = position + 1, log.latest - log.keep_ms - 1
      if position >= log.counted_from then
        freed = freed + #event + EVENT_OVERHEAD
      end
      from = '(' .. entry[1]
    end
  end
  if last then
    redis.call('XTRIM', log.stream, 'MINID', string.format('0-%.0f', last + 1))
  end
  return freed
end

-- Counts the appended events and trims the log. `excess`: by how much the tenant's logs and records exceed their
-- limit, with the appended events included. Returns the size of the removed events. `write_log_sizes` stores the
-- tenant's sizes.
local function close_log(log, excess)
  if log.added == 0 then
    return 0
  end
  local fields, freed = {}, 0
  if not log.counted_from then
    log.counted_from = log.first
    fields = {'f', to_decimal(log.first)}
  end
  if needs_trim(log, excess) then
    freed = trim_log(log, excess)
    local at = #fields
    fields[at + 1], fields[at + 2] = 'o', to_decimal(log.oldest)
    fields[at + 3], fields[at + 4] = 'i', to_decimal(log.oldest_at)
  end
  local grown = log.added_bytes - freed
  log.bytes = math.max(0, log.bytes + grown)
  redis.call('HSET', log.configuration, 'n', to_decimal(log.bytes), unpack(fields))
  log.log_sizes.new_events = log.log_sizes.new_events + grown
  log.added, log.added_bytes = 0, 0
  return freed
end

-- Reads the size of a tenant's logs, and of the records of a span and the span before.
local function load_log_sizes(log_sizes, span)
  local this, before = to_decimal(span), to_decimal(span - 1)
  local found = redis.call('HMGET', log_sizes.key, 'e', 'b' .. this, 'b' .. before, this, before)
  for at = 1, 5 do
    found[at] = parse_optional_count(found[at], LOG_SIZE) or 0
  end
  local added = (log_sizes.new_records[span] or 0) + (log_sizes.new_records[span - 1] or 0)
  log_sizes.events = found[1]
  log_sizes.records = found[2] + found[3] + (found[4] + found[5]) * EARLIER_RECORD_BYTES + added
  log_sizes.by_span[span], log_sizes.span = found[2], span
end

-- Adds the size of a new record to its span.
local function add_record_size(log_sizes, span, bytes)
  log_sizes.new_records[span] = (log_sizes.new_records[span] or 0) + bytes
  log_sizes.records = log_sizes.records + bytes
end

-- Deletes the fields of expired spans, those of the earlier version included.
local function delete_expired_spans(log_sizes, span)
  for _, field in ipairs(redis.call('HKEYS', log_sizes.key)) do
    local earlier = tonumber(string.match(field, '^b?(%-?%d+)$'))
    if earlier and earlier < span - 1 then
      redis.call('HDEL', log_sizes.key, field)
    end
  end
end

-- Stores the tenant's sizes that this call has changed. The size of the events has no field when it is 0. The first
-- record of a span deletes the fields of expired spans.
local function write_log_sizes(log_sizes)
  local fields = {}
  if log_sizes.new_events ~= 0 then
    log_sizes.events = math.max(0, log_sizes.events + log_sizes.new_events)
    log_sizes.new_events = 0
    if log_sizes.events > 0 then
      fields = {'e', to_decimal(log_sizes.events)}
    else
      redis.call('HDEL', log_sizes.key, 'e')
    end
  end
  for span, bytes in pairs(log_sizes.new_records) do
    local before = log_sizes.by_span[span]
    if before == 0 then
      delete_expired_spans(log_sizes, span)
    end
    fields[#fields + 1], fields[#fields + 2] = 'b' .. to_decimal(span), to_decimal(before + bytes)
  end
  if fields[1] then
    redis.call('HSET', log_sizes.key, unpack(fields))
  end
end

-- Subtracts a leaderboard's log and records from the tenant's sizes before they are deleted. Reads everything before
-- the first write.
local function release_log_size(log, record_hashes)
  local fields = {'e'}
  local freed = {parse_optional_count(redis.call('HGET', log.configuration, 'n'), LOG_SIZE) or 0}
  for _, record_hash in ipairs(record_hashes) do
    local found = redis.call('HMGET', record_hash, '', RECORD_BYTES_FIELD)
    if found[1] then
      fields[#fields + 1], freed[#freed + 1] = 'b' .. found[1], parse_optional_count(found[2], LOG_SIZE) or 0
    end
  end
  local stored = redis.call('HMGET', log.log_sizes.key, unpack(fields))
  for at in ipairs(fields) do
    stored[at] = parse_optional_count(stored[at], LOG_SIZE) or false
  end
  for at, field in ipairs(fields) do
    -- A field that reaches 0 is deleted.
    if stored[at] and freed[at] > 0 and redis.call('HINCRBY', log.log_sizes.key, field, -freed[at]) <= 0 then
      redis.call('HDEL', log.log_sizes.key, field)
    end
  end
end
