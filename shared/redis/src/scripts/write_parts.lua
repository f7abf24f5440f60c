-- Writes parts of keys (read_parts.lua), if the shard is as expected. KEYS[2] and further: the keys. ARGV[3]: the parts.
-- Returns 1 when the shard is as expected. To write a part again changes nothing, so that two calls can copy the same key, and a
-- late one does no harm.

local VALUES_AT_ONCE = 1000

-- Calls a command with the values, from the one with the number `from` on.
local function write_values(command, key, values, from)
  for at = from, #values, VALUES_AT_ONCE do
    redis.call(command, key, unpack(values, at, math.min(at + VALUES_AT_ONCE - 1, #values)))
  end
end

local writers = {}

function writers.string(key, values)
  redis.call('SET', key, values[1])
end

function writers.list(key, values, position)
  local written = redis.call('LLEN', key) - (tonumber(position) or 0)
  if written < 0 then
    error('a copied list has become shorter')
  end
  write_values('RPUSH', key, values, written + 1)
end

function writers.zset(key, values)
  -- ZRANGE returns the score after the member, and ZADD takes it before.
  for at = 1, #values, 2 do
    values[at], values[at + 1] = values[at + 1], values[at]
  end
  write_values('ZADD', key, values, 1)
end

function writers.hash(key, values)
  write_values('HSET', key, values, 1)
end

local function end_stream(key, last, added, max_deleted)
  if redis.call('EXISTS', key) == 0 then
    -- No other command creates a stream without entries.
    redis.call('XGROUP', 'CREATE', key, 'empty', '0', 'MKSTREAM')
    redis.call('XGROUP', 'DESTROY', key, 'empty')
  end
  redis.call('XSETID', key, last, 'ENTRIESADDED', added, 'MAXDELETEDID', max_deleted)
end

function writers.stream(key, values, _, next)
  if next == '' then
    return end_stream(key, unpack(values))
  end
  for _, entry in ipairs(values) do
    local added = redis.pcall('XADD', key, entry[1], unpack(entry[2]))
    -- An entry that is there has been written before.
    if type(added) == 'table' and added.err and not redis.call('XRANGE', key, entry[1], entry[1])[1] then
      error(added.err)
    end
  end
end

if not is_expected() then
  return 0
end
for _, part in ipairs(cmsgpack.unpack(ARGV[3])) do
  local at, kind, expires_at, position, next, values = unpack(part)
  local key = KEYS[at + 1]
  writers[kind](key, values, position, next)
  if expires_at ~= '0' then
    redis.call('PEXPIREAT', key, expires_at)
  end
end
return 1
