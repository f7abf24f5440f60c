-- Reads parts of keys, so that a key of any size is copied in bounded steps.
-- KEYS: the keys, which nobody writes. ARGV[1]: how far the first key has been read ('' for not at all); [2]: after how many
-- bytes no further part is read.
-- Returns how many keys have been read to their end, how far the key after them has been read, and the parts for
-- write_parts.lua.

local ENTRIES_AT_ONCE = 100
local MEMBERS_AT_ONCE = 500
-- The values of a hash can be long.
local FIELDS_AT_ONCE = 16

local parts, bytes, finished, position = {}, 0, 0, ARGV[1]
local max_bytes = tonumber(ARGV[2])

-- Each returns the next values of a key, and how far it has been read then ('' for to its end).
local readers = {}

function readers.string(key)
  return { redis.call('GET', key) }, ''
end

function readers.list(key)
  local from = tonumber(position) or 0
  local values = redis.call('LRANGE', key, from, from)
  return values, #values > 0 and to_decimal(from + 1) or ''
end

function readers.zset(key)
  local from = tonumber(position) or 0
  local values = redis.call('ZRANGE', key, from, from + MEMBERS_AT_ONCE - 1, 'WITHSCORES')
  return values, #values > 0 and to_decimal(from + MEMBERS_AT_ONCE) or ''
end

function readers.hash(key)
  local scanned = redis.call('HSCAN', key, position == '' and '0' or position, 'COUNT', FIELDS_AT_ONCE)
  return scanned[2], scanned[1] == '0' and '' or scanned[1]
end

-- The values of a stream: for each entry its id and then its fields in a list. At the end of the stream, what its entries do not
-- tell.
function readers.stream(key)
  local from = position == '' and '-' or '(' .. position
  local entries = redis.call('XRANGE', key, from, '+', 'COUNT', ENTRIES_AT_ONCE)
  if #entries > 0 then
    return entries, entries[#entries][1]
  end
  local stream = read_stream(key)
  return { stream['last-generated-id'], to_decimal(stream['entries-added']), stream['max-deleted-entry-id'] }, ''
end

local function measure(values)
  local size = 0
  for _, value in ipairs(values) do
    size = size + (type(value) == 'table' and measure(value) or #value)
  end
  return size
end

local function read_key(at, key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then
    -- The key has expired.
    position = ''
    return
  end
  if not readers[kind] then
    error('no data of Edgeboard has the type of this key: ' .. key)
  end
  local expires_at = string.format('%.0f', math.max(redis.call('PEXPIRETIME', key), 0))
  repeat
    local from, values = position, nil
    values, position = readers[kind](key)
    parts[#parts + 1] = { at, kind, expires_at, from, position, values }
    bytes = bytes + #key + measure(values)
  until position == '' or bytes >= max_bytes
end

for at, key in ipairs(KEYS) do
  read_key(at, key)
  if position ~= '' then
    break
  end
  finished = at
  if bytes >= max_bytes then
    break
  end
end
return { to_decimal(finished), position, cmsgpack.pack(parts) }
