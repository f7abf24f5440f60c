-- Versions of configurations and documents. Needs numbers.lua and clock.lua.

-- Returns the next version as a number and as text: the clock in microseconds, or the last version plus 1 if the
-- clock is not ahead of the last version. A restored backup or a lost write can bring back an old counter; the clock
-- prevents a version from being given twice. Writes nothing; the caller stores the text under `last_key`.
local function next_version(last_key)
  local last = parse_count(redis.call('GET', last_key) or '0', 'version')
  local version = math.max(last + 1, now_us())
  return version, string.format('%.0f', version)
end
