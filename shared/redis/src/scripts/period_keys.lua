-- Builds the keys of periods that a script finds itself. Needs numbers.lua and period.lua.
--
-- A key is a prefix and the period's id. keys.rs makes the prefixes; six arguments hold them in the order of
-- `period_from_keys`.

local function period_by_id(prefixes, id)
  local keys = {}
  for at, prefix in ipairs(prefixes) do
    keys[at] = prefix .. id
  end
  return period_from_keys(keys, 1), keys
end

local function read_key_prefixes(at)
  return {ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]}
end
