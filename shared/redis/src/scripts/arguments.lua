-- The keys and arguments of the call, and functions that read keys and packed arguments from front to back.

local KEYS, ARGV, keys_read, next_byte

-- Returns the next argument. `ARGV[1]` holds all arguments; each argument follows its length in four bytes.
local function next_argument()
  local value
  value, next_byte = struct.unpack('>I4c0', ARGV[1], next_byte)
  return value
end

local function next_key()
  keys_read = keys_read + 1
  return KEYS[keys_read]
end
