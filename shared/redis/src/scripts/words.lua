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

-- A count that was stored as decimal digits, at most 2^53.
local function count_of(text, what)
  local number = text and string.match(text, '^%d+$') and tonumber(text)
  if not number or number > 9007199254740992 then
    corrupt(what)
  end
  return number
end
