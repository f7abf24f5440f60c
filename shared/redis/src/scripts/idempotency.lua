-- Idempotency records: the outcomes kept under submission ids. Needs numbers.lua and log.lua.
--
-- Two hashes take turns; each hash serves one span of `span_ms`. The first record of a span empties the hash: its
-- records are older than a whole span and have expired. The field '' holds the hash's span, and RECORD_BYTES_FIELD
-- the size of its records; no id equals one of these fields. A record: the instant as a double (exact for
-- milliseconds), the fingerprint, the outcome.

local RECORD_HEAD_BYTES = 24

-- Returns the fingerprint and the outcome stored under `id`, or nil when the id was first used a span ago or earlier.
-- Keeps the span and the size of both hashes for `put_record`.
local function find_record(record_hashes, id, now, span_ms)
  local found_fingerprint, found_outcome
  for at = 1, 2 do
    local found = redis.call('HMGET', record_hashes[at], id, '', RECORD_BYTES_FIELD)
    local value = found[1]
    record_hashes.spans[at] = parse_optional_count(found[2], 'span of idempotency records') or false
    record_hashes.bytes[at] = parse_optional_count(found[3], LOG_SIZE) or 0
    if value then
      if #value <= RECORD_HEAD_BYTES then
        corrupt('idempotency record')
      end
      if now < struct.unpack('>d', value) + span_ms then
        found_fingerprint = string.sub(value, 9, RECORD_HEAD_BYTES)
        found_outcome = string.sub(value, RECORD_HEAD_BYTES + 1)
      end
    end
  end
  return found_fingerprint, found_outcome
end

-- Stores an outcome in a record of `bytes` bytes, after `find_record` has not found its id. Returns the record's span.
local function put_record(record_hashes, submission, outcome, span_ms, bytes)
  local now = submission.now
  local record = struct.pack('>d', now) .. submission.fingerprint .. outcome
  local span = math.floor(now / span_ms)
  local at = span % 2 + 1
  local record_hash, stored_span = record_hashes[at], record_hashes.spans[at]
  if not stored_span or stored_span < span then
    redis.call('UNLINK', record_hash)
    redis.call('HSET', record_hash, '', to_decimal(span), submission.id, record, RECORD_BYTES_FIELD, to_decimal(bytes))
    redis.call('PEXPIRE', record_hash, (span + 2) * span_ms - now)
  else
    local size = to_decimal(record_hashes.bytes[at] + bytes)
    redis.call('HSET', record_hash, submission.id, record, RECORD_BYTES_FIELD, size)
  end
  return span
end
