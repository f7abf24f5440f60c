-- The log of a leaderboard: how many events it keeps, and how large a tenant's logs and idempotency records are.
-- Needs numbers.lua.
--
-- Beside the configuration, the configuration's hash holds the log's retention and size. `k` and `d`: how many events
-- the log keeps and for how many milliseconds. `n`: the size of the counted events. `f`: the position of the first
-- counted event; a log that is older than the counting has uncounted events before that position.
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

-- `new`: the size of the records that this call adds to each span.
local function new_log_sizes(key)
  return {key = key, new = {}}
end

local function new_log(stream, configuration, log_sizes)
  return {stream = stream, configuration = configuration, log_sizes = log_sizes, added = 0, added_bytes = 0}
end

-- Checks the size of a tenant's events before the first write. `load_log_sizes` checks that size too.
local function check_log_sizes(log_sizes)
  if not log_sizes.is_open then
    parse_optional_count(redis.call('HGET', log_sizes.key, 'e'), LOG_SIZE)
    log_sizes.is_open = true
  end
end

-- Reads every value that the script is about to write, so that a wrong type or a damaged number is found before the
-- first write. `kept`: the fields `k`, `d`, `f` and `n` when the caller has read them. The caller checks the log
-- sizes itself.
local function load_log(log, kept)
  kept = kept or redis.call('HMGET', log.configuration, 'k', 'd', 'f', 'n')
  log.keep_events = parse_optional_count(kept[1], 'retention of the log') or KEEP_EVENTS
  log.keep_ms = parse_optional_count(kept[2], 'retention of the log') or KEEP_MS
  log.counted_from = parse_optional_count(kept[3], 'first event that is counted')
  parse_optional_count(kept[4], LOG_SIZE)
  redis.call('XLEN', log.stream)
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
local function append_event(log, event)
  local position = tonumber(string.sub(redis.call('XADD', log.stream, '0-*', 'e', event), 3))
  log.first = log.first or position
  log.added, log.added_bytes = log.added + 1, log.added_bytes + #event + EVENT_OVERHEAD
  log.latest = read_recorded_at(event)
  return position
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
      local is_old = (read_recorded_at(event) or log.latest) < log.latest - log.keep_ms
      if position >= log.first or not (is_old or surplus > 0 or freed < excess) then
        left = 0
        break
      end
      surplus, last = surplus - 1, position
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

-- Adds to a field and deletes the field when it reaches 0.
local function add_log_size(log_sizes, field, by)
  if by ~= 0 and redis.call('HINCRBY', log_sizes.key, field, by) <= 0 then
    redis.call('HDEL', log_sizes.key, field)
  end
end

-- Counts the appended events and trims the log. `excess`: by how much the tenant's logs and records exceed their
-- limit, with the appended events included. Returns the size of the removed events.
local function close_log(log, excess)
  if log.added == 0 then
    return 0
  end
  if not log.counted_from then
    redis.call('HSETNX', log.configuration, 'f', log.first)
    log.counted_from = log.first
  end
  local freed = trim_log(log, excess)
  redis.call('HINCRBY', log.configuration, 'n', log.added_bytes - freed)
  add_log_size(log.log_sizes, 'e', log.added_bytes - freed)
  return freed
end

-- Reads the size of a tenant's logs, and of the records of a span and the span before.
local function load_log_sizes(log_sizes, span)
  local found = redis.call('HMGET', log_sizes.key, 'e', 'b' .. span, 'b' .. (span - 1), span, span - 1)
  for at = 1, 5 do
    found[at] = parse_optional_count(found[at], LOG_SIZE) or 0
  end
  log_sizes.events, log_sizes.records = found[1], found[2] + found[3] + (found[4] + found[5]) * EARLIER_RECORD_BYTES
  log_sizes.span, log_sizes.is_open = span, true
end

-- Adds the size of a new record to its span. `write_record_sizes` stores the sum.
local function add_record_size(log_sizes, span, bytes)
  log_sizes.new[span] = (log_sizes.new[span] or 0) + bytes
  log_sizes.records = log_sizes.records + bytes
end

-- Stores the sizes of new records. The first record of a span deletes the fields of expired spans, those of the
-- earlier version included.
local function write_record_sizes(log_sizes)
  for span, bytes in pairs(log_sizes.new) do
    if redis.call('HINCRBY', log_sizes.key, 'b' .. span, bytes) == bytes then
      for _, field in ipairs(redis.call('HKEYS', log_sizes.key)) do
        local earlier = tonumber(string.match(field, '^b?(%-?%d+)$'))
        if earlier and earlier < span - 1 then
          redis.call('HDEL', log_sizes.key, field)
        end
      end
    end
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
    if stored[at] then
      add_log_size(log.log_sizes, field, -freed[at])
    end
  end
end
