-- Exact 64-bit integers and byte order, for every script.
--
-- Lua's numbers are doubles and exact up to 2^53, and Lua's `<` compares strings by the server's locale. So a script
-- keeps an int64 in eight big-endian bytes (a wide integer) and calculates with two halves of 32 bits. Values and
-- times are stored with an inverted sign bit, so that byte order is numeric order.

local HALF = 4294967296

-- Ends the script with an error: the data was not written by these scripts.
local function corrupt(what)
  error({err = 'CORRUPT ' .. what})
end

-- Returns whether a < b. Each number is given as two halves.
local function is_less(ahi, alo, bhi, blo)
  if ahi ~= bhi then
    return ahi < bhi
  end
  return alo < blo
end

-- Returns whether `a` sorts before `b`. Both are the same number of wide integers.
local function is_before(a, b)
  for at = 1, #a, 8 do
    local ahi, alo = struct.unpack('>I4I4', a, at)
    local bhi, blo = struct.unpack('>I4I4', b, at)
    if ahi ~= bhi or alo ~= blo then
      return is_less(ahi, alo, bhi, blo)
    end
  end
  return false
end

-- Returns the halves of the first wide integer in `bytes`, inverted for a descending column.
local function first_halves(bytes, descending)
  local hi, lo = struct.unpack('>I4I4', bytes)
  if descending then
    return HALF - 1 - hi, HALF - 1 - lo
  end
  return hi, lo
end

-- Encodes a number from 0 to 2^53 in eight big-endian bytes, without an inverted sign bit.
local function encode_int(number)
  return struct.pack('>I4I4', math.floor(number / HALF), number % HALF)
end

-- Encodes a wide integer as a narrow integer: fewer bytes, same order. The first byte says how many bytes follow: 128
-- + n for a number >= 0, 127 - n for a number < 0. Leading zeros (for a number < 0: leading ones) are left out.
-- Members of sorted sets and packed entries hold narrow integers: most numbers are small, and a million entries take
-- 32 MB less.
local function narrow_int(wide)
  local first, number, from = string.byte(wide), nil, nil
  if first >= 128 then
    number = string.char(first - 128) .. string.sub(wide, 2)
    from = string.find(number, '[^%z]') or 9
    return string.char(137 - from) .. string.sub(number, from)
  end
  number = string.char(first + 128) .. string.sub(wide, 2)
  from = string.find(number, '[^\255]') or 9
  return string.char(118 + from) .. string.sub(number, from)
end

-- Encodes wide integers as narrow integers.
local function narrow(ints)
  local parts = {}
  for at = 1, #ints, 8 do
    parts[#parts + 1] = narrow_int(string.sub(ints, at, at + 7))
  end
  return table.concat(parts)
end

-- Returns how many bytes follow the first byte of the narrow integer at `at`.
local function read_narrow_length(bytes, at)
  local code = string.byte(bytes, at)
  local length = code and (code >= 128 and code - 128 or 127 - code)
  if not length or length > 8 or at + length > #bytes then
    corrupt('number')
  end
  return length
end

-- Returns the index of the last byte of the first `count` narrow integers.
local function find_narrow_end(bytes, count)
  local at = 1
  for _ = 1, count do
    at = at + 1 + read_narrow_length(bytes, at)
  end
  return at - 1
end

-- Decodes the first `count` narrow integers to wide integers.
local function widen(bytes, count)
  local ints, at = {}, 1
  for index = 1, count do
    local length = read_narrow_length(bytes, at)
    local below = string.byte(bytes, at) < 128
    local eight = string.rep(below and '\255' or '\0', 8 - length) .. string.sub(bytes, at + 1, at + length)
    -- A wide integer has an inverted sign bit; the narrow integer's bytes do not.
    ints[index] = string.char((string.byte(eight) + 128) % 256) .. string.sub(eight, 2)
    at = at + 1 + length
  end
  return table.concat(ints)
end

-- Returns an integer as decimal text. Redis and Lua would write a number that is passed to a command, or joined to a
-- string, in a form for fractions, which takes a microsecond: longer than many commands.
local function to_decimal(number)
  return string.format('%d', number)
end

-- Parses a stored decimal integer between -2^53 and 2^53. The text has no leading zeros, as Redis writes numbers;
-- Redis can only add to such a text.
local function parse_integer(text, what)
  local number = text and (text == '0' or string.match(text, '^%-?[1-9]%d*$')) and tonumber(text)
  if not number or math.abs(number) > 9007199254740992 then
    corrupt(what)
  end
  return number
end

-- Parses a stored decimal integer that is 0 or greater.
local function parse_count(text, what)
  local number = parse_integer(text, what)
  if number < 0 then
    corrupt(what)
  end
  return number
end

-- The same for a value that can be absent. Returns nil when `text` is absent.
local function parse_optional_integer(text, what)
  return text and parse_integer(text, what) or nil
end

local function parse_optional_count(text, what)
  return text and parse_count(text, what) or nil
end

-- Returns the position of a stream's newest entry in decimal; '0' when the stream is empty.
local function newest_position(stream)
  local entry = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  return entry and string.sub(entry[1], 3) or '0'
end

-- Returns the varint (LEB128) at byte `at` and the index of its last byte; nil when the bytes end first.
local function read_varint(bytes, at)
  local number, weight, byte = 0, 1, string.byte(bytes, at)
  while byte and byte >= 128 do
    number, weight, at = number + (byte - 128) * weight, weight * 128, at + 1
    byte = string.byte(bytes, at)
  end
  if not byte then
    return nil
  end
  return number + byte * weight, at
end
