-- One period: its order, its entries and their ranks. Needs numbers.lua.
--
-- A period has six keys in this order: meta (hash), entries (hash, player -> packed entry), the visible and the
-- banned order keys (sorted sets, all scores 0), the different visible tuples (sorted set), and their counts (hash,
-- tuple -> number of visible entries). Only dense ranks use the last two keys.
--
-- Final standings and claims are fields of the meta, so that they expire and are deleted with the period (see
-- standings.lua).
--
-- In these scripts an order key is a prefix and the player. The prefix holds the columns (the tuple) and the time as
-- narrow integers. A packed entry is the prefix, the number of attempts as a varint, and, for an entry with metadata,
-- a 1 and the metadata's text.

local SHARED, DENSE = 2, 3

local function period_from_keys(keys, at)
  return {
    meta = keys[at], entries = keys[at + 1], visible = keys[at + 2],
    banned = keys[at + 3], tuples = keys[at + 4], counts = keys[at + 5],
  }
end

-- Reads the order from a layout's bytes. They begin with the policy for ties and the number of columns.
local function set_layout(period, layout)
  local ties, columns = string.byte(layout, 1, 2)
  if not columns or ties > DENSE or columns < 1 or columns > 3 then
    corrupt('layout')
  end
  period.layout, period.ties, period.columns = layout, ties, columns
end

-- Reads a period's meta. `layout` stays nil when the period has never had an entry.
local function load_period(period)
  local meta = redis.call('HMGET', period.meta, 'l', 'v', 'x', 'r', 'f')
  if meta[1] then
    set_layout(period, meta[1])
    period.version = parse_count(meta[2], 'period version')
    period.expires_at = parse_optional_integer(meta[3], 'expiry of a period')
    period.rebuilt_until = parse_optional_count(meta[4], 'end of a rebuild')
    period.freeze = meta[5]
  else
    period.version = 0
  end
  return period
end

-- Reads keys that the script is about to write, so that a key of a wrong type is found before the first write.
local function check_period_types(period)
  redis.call('HLEN', period.entries)
  redis.call('ZCARD', period.visible)
  redis.call('ZCARD', period.banned)
  if period.ties == DENSE then
    redis.call('ZCARD', period.tuples)
    redis.call('HLEN', period.counts)
  end
end

-- Encodes a number as a varint (LEB128).
local function encode_varint(number)
  local bytes = ''
  while number >= 128 do
    bytes = bytes .. string.char(128 + number % 128)
    number = math.floor(number / 128)
  end
  return bytes .. string.char(number)
end

-- Returns the tuple of an order key.
local function extract_tuple(period, key)
  return string.sub(key, 1, find_narrow_end(key, period.columns))
end

-- Returns the player of an order key.
local function extract_player(period, key)
  return string.sub(key, find_narrow_end(key, period.columns + 1) + 1)
end

-- Returns the parts of a packed entry: the order-key prefix, the number of attempts, the metadata as stored.
local function unpack_entry(period, packed)
  local prefix_end = find_narrow_end(packed, period.columns + 1)
  local attempts, attempts_end = read_varint(packed, prefix_end + 1)
  if not attempts then
    corrupt('entry')
  end
  return string.sub(packed, 1, prefix_end), attempts, string.sub(packed, attempts_end + 1)
end

-- Returns the order key and the packed entry of a player, or nil when the player has no entry.
local function find_order_key(period, player)
  local packed = redis.call('HGET', period.entries, player)
  if not packed then
    return nil
  end
  return unpack_entry(period, packed) .. player, packed
end

-- Returns the rank at an order key: the number of better visible entries (for dense ranks: different better tuples)
-- plus 1. The entry at the key can be visible or banned. Returns as the second value true if the key is known to be
-- visible.
local function compute_rank(period, key)
  if period.ties == DENSE then
    return redis.call('ZLEXCOUNT', period.tuples, '-', '(' .. extract_tuple(period, key)) + 1
  end
  if period.ties == SHARED then
    return redis.call('ZLEXCOUNT', period.visible, '-', '(' .. extract_tuple(period, key)) + 1
  end
  local index = redis.call('ZRANK', period.visible, key)
  if index then
    return index + 1, true
  end
  return redis.call('ZLEXCOUNT', period.visible, '-', '(' .. key) + 1
end

-- Reads the counts of the tuples that are about to change, so that a damaged count is found before the first write.
-- `first` and `second` are order keys with or without the player; `second` is optional.
local function check_tuple_counts(period, first, second)
  if period.ties == DENSE then
    local tuple, other = extract_tuple(period, first), extract_tuple(period, second or first)
    local counts = redis.call('HMGET', period.counts, tuple, other)
    parse_optional_count(counts[1], 'count of a tuple')
    parse_optional_count(counts[2], 'count of a tuple')
  end
end

-- Changes the number of visible entries with this tuple by 1 or -1.
local function add_tuple_count(period, key, by)
  if period.ties ~= DENSE then
    return
  end
  local tuple = extract_tuple(period, key)
  local left = redis.call('HINCRBY', period.counts, tuple, by)
  if left <= 0 then
    redis.call('HDEL', period.counts, tuple)
    redis.call('ZREM', period.tuples, tuple)
  elseif left == by then
    redis.call('ZADD', period.tuples, '0', tuple)
  end
end

-- Gives the period's deadline to keys that were created after the deadline was set.
local function copy_deadline(period)
  if not period.expires_at then
    return
  end
  period.deadline = period.deadline or redis.call('PEXPIRETIME', period.meta)
  if period.deadline > 0 then
    for _, key in ipairs({period.entries, period.visible, period.banned, period.tuples, period.counts}) do
      redis.call('PEXPIREAT', key, period.deadline, 'NX')
    end
  end
end

-- Sets another deadline for an existing period, or removes the deadline.
local function set_deadline(period, expires_at, now)
  if expires_at then
    redis.call('HSET', period.meta, 'x', expires_at)
  else
    redis.call('HDEL', period.meta, 'x')
  end
  for _, key in ipairs({period.meta, period.entries, period.visible, period.banned, period.tuples, period.counts}) do
    if expires_at then
      redis.call('PEXPIRE', key, math.max(1, expires_at - now))
    else
      redis.call('PERSIST', key)
    end
  end
  period.expires_at, period.deadline = expires_at, nil
end

-- Moves an entry from one order key to another (either can be nil), into the banned or the visible set. Keys that this
-- creates get the period's deadline. `is_in_place`: whether the caller has found the entry in the set that it belongs
-- to. Returns whether this changed anything. If the key stays the same but the entry is in the wrong set, the entry
-- moves too.
local function move_entry(period, old, new, is_banned, is_in_place)
  if period.rebuilt_until then
    -- A rebuild's copies do not have this change, so the rebuild starts again (see rebuild.lua).
    redis.call('HDEL', period.meta, 'r')
    period.rebuilt_until = nil
  end
  local right, wrong = period.visible, period.banned
  if is_banned then
    right, wrong = wrong, right
  end
  local was_wrong = old and not is_in_place and redis.call('ZREM', wrong, old) == 1
  if old == new and not was_wrong then
    return false
  end
  -- The new order key comes first: Redis deletes a set that becomes empty, with its deadline.
  if new then
    redis.call('ZADD', right, '0', new)
    if not is_banned then
      add_tuple_count(period, new, 1)
    end
  end
  local was_right = old and not was_wrong and redis.call('ZREM', right, old) == 1
  if (is_banned and was_wrong) or (was_right and not is_banned) then
    add_tuple_count(period, old, -1)
  end
  if new and not was_right then
    copy_deadline(period)
  end
  return true
end
