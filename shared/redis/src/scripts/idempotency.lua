-- Idempotency records: the outcomes kept under submission ids. Needs numbers.lua and log.lua.
--
-- Two hashes take turns; each hash serves one span of `span_ms`. The first record of a span empties the hash: its
-- records are older than a whole span and have expired. The field '' holds the hash's span, and RECORD_BYTES_FIELD
-- the size of its records; no id equals one of these fields. A record: the instant as a double (exact for
-- milliseconds), the fingerprint, the outcome.

local RECORD_HEAD_BYTES = 24

-- Returns the fingerprint and the outcome stored under `id`, or nil when the id was first used a span ago or earlier.
local function find_record(record_hashes, id, now, span_ms)
  local found_fingerprint, found_outcome
  for _, record_hash in ipairs(record_hashes) do
    local found = redis.call('HMGET', record_hash, id, '', RECORD_BYTES_FIELD)
    local value = found[1]
    parse_optional_count(found[2], 'span of idempotency records')
    parse_optional_count(found[3], LOG_SIZE)
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

-- Stores an outcome in a record of `bytes` bytes. Returns the record's span.
local function put_record(record_hashes, submission, outcome, span_ms, bytes)
  local now = submission.now
  local span = math.floor(now / span_ms)
  local record_hash = record_hashes[span % 2 + 1]
  local stored_span = parse_optional_count(redis.call('HGET', record_hash, ''), 'span of idempotency records')
  if not stored_span or stored_span < span then
    redis.call('UNLINK', record_hash)
    redis.call('HSET', record_hash, '', span)
    redis.call('PEXPIRE', record_hash, (span + 2) * span_ms - now)
  end
  redis.call('HSET', record_hash, submission.id, struct.pack('>d', now) .. submission.fingerprint .. outcome)
  redis.call('HINCRBY', record_hash, RECORD_BYTES_FIELD, bytes)
  return span
end
