-- Periods that a script finds by itself. Needs words.lua and period.lua.
--
-- Their keys are a prefix and the period's id; the prefixes come from keys.rs as six arguments, in the order
-- of period_at.

local function period_of(prefixes, id)
  local keys = {}
  for at, prefix in ipairs(prefixes) do
    keys[at] = prefix .. id
  end
  return period_at(keys, 1), keys
end

local function prefixes_at(at)
  return {ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]}
end
