-- Exact 64-bit integers and byte order, for every script.
--
-- Lua's numbers are doubles, exact to 2^53 only, and its `<` compares strings by the server's locale. So a
-- 64-bit integer is a word of eight bytes, big-endian, and is worked on as two halves of 32 bits.

local HALF = 4294967296

-- Ends the script: the data is not what these scripts write.
local function corrupt(what)
  error({err = 'CORRUPT ' .. what})
end

-- Whether a number in two halves is less than another.
local function less(ahi, alo, bhi, blo)
  if ahi ~= bhi then
    return ahi < bhi
  end
  return alo < blo
end

-- Whether `a` stands before `b`: both whole words and as many.
local function before(a, b)
  for at = 1, #a, 8 do
    local ahi, alo = struct.unpack('>I4I4', a, at)
    local bhi, blo = struct.unpack('>I4I4', b, at)
    if ahi ~= bhi or alo ~= blo then
      return less(ahi, alo, bhi, blo)
    end
  end
  return false
end

-- The first word of `bytes` as halves; inverted when it is that of a descending column.
local function first_word(bytes, descending)
  local hi, lo = struct.unpack('>I4I4', bytes)
  if descending then
    return HALF - 1 - hi, HALF - 1 - lo
  end
  return hi, lo
end

-- A number below 2^53 as a word.
local function word(number)
  return struct.pack('>I4I4', math.floor(number / HALF), number % HALF)
end

-- A narrow word: the same number in fewer bytes, in the same order. Its first byte says how many follow:
-- 128 + n for a number from 0 up, 127 - n for one below; leading zeros (or ones, below 0) are left out. A
-- member of a sorted set and the entry beside it hold words like this: most numbers are small, and a million
-- entries are then 32 MB less.
local function narrow_word(wide)
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

-- Whole words as narrow ones.
local function narrow(words)
  local parts = {}
  for at = 1, #words, 8 do
    parts[#parts + 1] = narrow_word(string.sub(words, at, at + 7))
  end
  return table.concat(parts)
end

-- How many bytes follow the first one of a narrow word.
local function narrow_length(bytes, at)
  local code = string.byte(bytes, at)
  local length = code and (code >= 128 and code - 128 or 127 - code)
  if not length or length > 8 or at + length > #bytes then
    corrupt('number')
  end
  return length
end

-- Where the first `count` narrow words end.
local function narrow_end(bytes, count)
  local at = 1
  for _ = 1, count do
    at = at + 1 + narrow_length(bytes, at)
  end
  return at - 1
end

-- The first `count` narrow words as whole ones.
local function widen(bytes, count)
  local words, at = {}, 1
  for index = 1, count do
    local length = narrow_length(bytes, at)
    local below = string.byte(bytes, at) < 128
    local eight = string.rep(below and '\255' or '\0', 8 - length) .. string.sub(bytes, at + 1, at + length)
    -- The sign bit is the other way round in a word.
    words[index] = string.char((string.byte(eight) + 128) % 256) .. string.sub(eight, 2)
    at = at + 1 + length
  end
  return table.concat(words)
end

-- A whole number that was stored as decimal digits, at most 2^53 away from 0. It is written as the server writes numbers:
-- without zeros in front, so that the server can add to it.
local function whole_of(text, what)
  local number = text and (text == '0' or string.match(text, '^%-?[1-9]%d*$')) and tonumber(text)
  if not number or math.abs(number) > 9007199254740992 then
    corrupt(what)
  end
  return number
end

-- A count that was stored like that.
local function count_of(text, what)
  local number = whole_of(text, what)
  if number < 0 then
    corrupt(what)
  end
  return number
end

-- The same of what may not be there: nothing stays nothing.
local function whole_if_there(text, what)
  return text and whole_of(text, what) or nil
end

local function count_if_there(text, what)
  return text and count_of(text, what) or nil
end

-- The varint (LEB128) at a byte, and where it ends; nothing when the bytes end before it does.
local function varint_at(bytes, at)
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
