-- Submission ids that count once. Needs words, log.
--
-- Two hashes take turns, each for one span of `span_ms`. When a span begins, its hash is emptied: what it
-- held is then older than a whole span, so it no longer counts. The field '' says which span a hash holds, and
-- SLOT_BYTES what its records weigh; no id is one of these. Each value: the instant as a double (exact for milliseconds), the fingerprint, the outcome.

local REMEMBERED_HEAD = 24

-- The fingerprint and outcome under `id`, if it was first used less than a span ago.
local function recall(slots, id, now, span_ms)
  local found_fingerprint, found_outcome
  for _, slot in ipairs(slots) do
    local found = redis.call('HMGET', slot, id, '', SLOT_BYTES)
    local value = found[1]
    count_if_there(found[2], 'span of remembered ids')
    count_if_there(found[3], WEIGHT)
    if value then
      if #value <= REMEMBERED_HEAD then
        corrupt('remembered id')
      end
      if now < struct.unpack('>d', value) + span_ms then
        found_fingerprint = string.sub(value, 9, REMEMBERED_HEAD)
        found_outcome = string.sub(value, REMEMBERED_HEAD + 1)
      end
    end
  end
  return found_fingerprint, found_outcome
end

-- Keeps an outcome, in a record that weighs so many bytes. Its span.
local function remember(slots, id, fingerprint, outcome, now, span_ms, bytes)
  local span = math.floor(now / span_ms)
  local slot = slots[span % 2 + 1]
  local held = count_if_there(redis.call('HGET', slot, ''), 'span of remembered ids')
  if not held or held < span then
    redis.call('UNLINK', slot)
    redis.call('HSET', slot, '', span)
    redis.call('PEXPIRE', slot, (span + 2) * span_ms - now)
  end
  redis.call('HSET', slot, id, struct.pack('>d', now) .. fingerprint .. outcome)
  redis.call('HINCRBY', slot, SLOT_BYTES, bytes)
  return span
end
