-- Keys and arguments that are read from front to back.

local next_byte, taken_keys = 1, 0

-- All arguments are in one, each after its length in four bytes.
local function take()
  local value
  value, next_byte = struct.unpack('>I4c0', ARGV[1], next_byte)
  return value
end

local function take_key()
  taken_keys = taken_keys + 1
  return KEYS[taken_keys]
end
