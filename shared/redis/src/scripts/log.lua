-- The log of a leaderboard: how much of it is kept, and what a tenant's logs and idempotency records weigh. Needs words.
--
-- The configuration's hash holds, beside the configuration, `k` and `d`: how many events are kept and for how many
-- milliseconds; `n`: what the events weigh that were counted; `f`: the position of the first of these (a log from
-- before there was a count has events in front of it). A hash of the tenant holds what the events of all its logs weigh
-- under `e`, and what the idempotency records of each span (see remembered.lua) weigh under `b` and the span's number: a
-- record counts in its span and in the next one. The hash that has a leaderboard's records says what they weigh.
--
-- An earlier version kept the number of records, under the span's number alone. Each of them weighs OLD_RECORD_WEIGHT until
-- its span no longer counts, also when its leaderboard is deleted: what a mixed hash holds of them is not known.

-- As in core's LogPolicy: for a configuration from before there was one.
local KEEP_EVENTS, KEEP_MS = 100000, 2592000000
local EVENT_OVERHEAD, OLD_RECORD_WEIGHT = 32, 256
-- How many events a call removes at least, when so many are to go, beside two for each one that it adds.
local TRIMMED_AT_ONCE = 16
-- The codes of submitted events, whose instant comes after their flags.
local SUBMITTED = {[2] = true, [6] = true}

local WEIGHT = 'weight of a log'
-- The field of a hash of ids that says what its records weigh. No name of a record has this character.
local SLOT_BYTES = '\1'

-- `new`: what the records of each span weigh that this call adds.
local function weights_at(key)
  return {key = key, new = {}}
end

local function log_at(stream, configuration, weights)
  return {stream = stream, configuration = configuration, weights = weights, added = 0, weight = 0}
end

-- Reads what the events of a tenant's logs weigh, before the first write; `read_weights` does so, too.
local function open_weights(weights)
  if not weights.is_open then
    count_if_there(redis.call('HGET', weights.key, 'e'), WEIGHT)
    weights.is_open = true
  end
end

-- Reads what is about to be written, so that a wrong type, or what is no number, is found before the first write. `kept`:
-- the fields `k`, `d`, `f` and `n`, where the caller has read them. The weights are the caller's to open.
local function open_log(log, kept)
  kept = kept or redis.call('HMGET', log.configuration, 'k', 'd', 'f', 'n')
  log.keep_events = count_if_there(kept[1], 'retention of the log') or KEEP_EVENTS
  log.keep_ms = count_if_there(kept[2], 'retention of the log') or KEEP_MS
  log.counted_from = count_if_there(kept[3], 'first event that is counted')
  count_if_there(kept[4], WEIGHT)
  redis.call('XLEN', log.stream)
  return log
end

-- When an event was accepted, in milliseconds; nothing when the bytes are no event.
local function recorded_at(event)
  local number = varint_at(event, SUBMITTED[string.byte(event)] and 3 or 2)
  if not number then
    return nil
  end
  return number % 2 == 0 and number / 2 or -(number + 1) / 2
end

-- Appends to a log. The position is the second half of the entry's id, which the stream itself counts up.
local function append(log, event)
  local position = tonumber(string.sub(redis.call('XADD', log.stream, '0-*', 'e', event), 3))
  log.first = log.first or position
  log.added, log.weight = log.added + 1, log.weight + #event + EVENT_OVERHEAD
  log.now = recorded_at(event)
  return position
end

-- Removes the oldest events that are too many, too old, or weigh too much by `over`; none that this call added. What
-- those weigh that were counted.
local function trim(log, over)
  local surplus = redis.call('XLEN', log.stream) - log.keep_events
  local left, from, last, freed = TRIMMED_AT_ONCE + 2 * log.added, '-', nil, 0
  while left > 0 do
    local wanted = math.min(left, log.added + 1)
    local oldest = redis.call('XRANGE', log.stream, from, '+', 'COUNT', wanted)
    left = #oldest == wanted and left - wanted or 0
    for _, entry in ipairs(oldest) do
      local position, event = tonumber(string.sub(entry[1], 3)), entry[2][2] or ''
      local is_old = (recorded_at(event) or log.now) < log.now - log.keep_ms
      if position >= log.first or not (is_old or surplus > 0 or freed < over) then
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

-- Adds to a field, which goes when it comes to nothing.
local function add_weight(weights, field, by)
  if by ~= 0 and redis.call('HINCRBY', weights.key, field, by) <= 0 then
    redis.call('HDEL', weights.key, field)
  end
end

-- Counts what was appended and trims the log. `over`: how much the tenant's logs and records weigh too much, what was
-- appended included. How much less they weigh by what was removed.
local function close_log(log, over)
  if log.added == 0 then
    return 0
  end
  if not log.counted_from then
    redis.call('HSETNX', log.configuration, 'f', log.first)
    log.counted_from = log.first
  end
  local freed = trim(log, over)
  redis.call('HINCRBY', log.configuration, 'n', log.weight - freed)
  add_weight(log.weights, 'e', log.weight - freed)
  return freed
end

-- Reads what a tenant's logs weigh, and the records of a span and the one before it.
local function read_weights(weights, span)
  local found = redis.call('HMGET', weights.key, 'e', 'b' .. span, 'b' .. (span - 1), span, span - 1)
  for at = 1, 5 do
    found[at] = count_if_there(found[at], WEIGHT) or 0
  end
  weights.events, weights.records = found[1], found[2] + found[3] + (found[4] + found[5]) * OLD_RECORD_WEIGHT
  weights.span, weights.is_open = span, true
end

-- Notes what a new record of a span weighs, which `close_weights` writes.
local function add_record(weights, span, bytes)
  weights.new[span] = (weights.new[span] or 0) + bytes
  weights.records = weights.records + bytes
end

-- Writes what the new records weigh. The first of a span drops the spans that no longer count, those of an earlier version
-- too.
local function close_weights(weights)
  for span, bytes in pairs(weights.new) do
    if redis.call('HINCRBY', weights.key, 'b' .. span, bytes) == bytes then
      for _, field in ipairs(redis.call('HKEYS', weights.key)) do
        local earlier = tonumber(string.match(field, '^b?(%-?%d+)$'))
        if earlier and earlier < span - 1 then
          redis.call('HDEL', weights.key, field)
        end
      end
    end
  end
end

-- Takes a leaderboard's log and records, which are about to be deleted, off the tenant's weights. Reads all before it writes.
local function release_log(log, slots)
  local fields = {'e'}
  local freed = {count_if_there(redis.call('HGET', log.configuration, 'n'), WEIGHT) or 0}
  for _, slot in ipairs(slots) do
    local found = redis.call('HMGET', slot, '', SLOT_BYTES)
    if found[1] then
      fields[#fields + 1], freed[#freed + 1] = 'b' .. found[1], count_if_there(found[2], WEIGHT) or 0
    end
  end
  local held = redis.call('HMGET', log.weights.key, unpack(fields))
  for at in ipairs(fields) do
    held[at] = count_if_there(held[at], WEIGHT) or false
  end
  for at, field in ipairs(fields) do
    if held[at] then
      add_weight(log.weights, field, -freed[at])
    end
  end
end
