-- Keys and arguments that are read from front to back.

local taken, taken_keys = 0, 0

local function take()
  taken = taken + 1
  return ARGV[taken]
end

local function take_key()
  taken_keys = taken_keys + 1
  return KEYS[taken_keys]
end
