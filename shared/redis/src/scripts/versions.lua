-- Versions of configurations and documents. Needs words, clock.

-- The version that comes after the last one, as a number and as text: the clock in microseconds, or one more than the
-- last version where the clock is not ahead of that. A restored backup brings an old counter, and a lost write an older
-- one; the clock keeps either from giving a version that was given before. Writes nothing: the caller keeps the text
-- under `last_key`.
local function version_after(last_key)
  local last = count_of(redis.call('GET', last_key) or '0', 'version')
  local version = math.max(last + 1, now_us())
  return version, string.format('%.0f', version)
end
