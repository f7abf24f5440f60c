-- The keys and arguments of the call, and functions that read keys and packed arguments from front to back.

local KEYS, ARGV, keys_read, next_byte
-- Whether the tenant of the call is being moved to another shard (register.lua).
local is_moving

-- Returns the format of `count` packed arguments for `struct.unpack`. `ARGV[1]` holds all packed arguments; each argument
-- follows its length in four bytes. One `struct.unpack` for many arguments costs less than a call for each of them.
-- Runs while the server loads the library, where Redis has no `string.rep`.
local function packed_format(count)
  local format = '>'
  for _ = 1, count do
    format = format .. 'I4c0'
  end
  return format
end

local ONE = packed_format(1)

-- Returns the next argument.
local function next_argument()
  local value
  value, next_byte = struct.unpack(ONE, ARGV[1], next_byte)
  return value
end

local function next_key()
  keys_read = keys_read + 1
  return KEYS[keys_read]
end
