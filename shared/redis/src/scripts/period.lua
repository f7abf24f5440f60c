-- One period: its order, its entries and their places. Needs words.lua.
--
-- A period has six keys, always in this order: meta (hash), entries (hash, player -> packed entry), visible
-- and hidden (sorted sets of order keys, all scores 0), tuples (sorted set of the different visible tuples)
-- and counts (hash, tuple -> how many visible entries have it); the last two for dense ranks only.
--
-- An order key here: the columns and the time as narrow words, then the player. A packed entry: the order key
-- without the player, the attempts as a varint, and, when there is metadata, a 1 and its text.

local SHARED, DENSE = 2, 3

local function period_at(keys, at)
  return {
    meta = keys[at], entries = keys[at + 1], visible = keys[at + 2],
    hidden = keys[at + 3], tuples = keys[at + 4], counts = keys[at + 5],
  }
end

-- Takes the order from a layout's bytes: they begin with the policy for ties and the number of columns.
local function set_layout(period, layout)
  local ties, columns = string.byte(layout, 1, 2)
  if not columns or ties > DENSE or columns < 1 or columns > 3 then
    corrupt('layout')
  end
  period.layout, period.ties, period.columns = layout, ties, columns
end

-- Reads what the period is. It has no `layout` afterwards when it has never had an entry.
local function load(period)
  local meta = redis.call('HMGET', period.meta, 'l', 'v', 'x', 'r')
  if meta[1] then
    set_layout(period, meta[1])
    period.version = count_of(meta[2], 'period version')
    period.expires_at = whole_if_there(meta[3], 'expiry of a period')
    period.rebuilt_until = count_if_there(meta[4], 'end of a rebuild')
  else
    period.version = 0
  end
  return period
end

-- Reads keys that are about to be written, so that one of a wrong type is found before the first write.
local function check_types(period)
  redis.call('HLEN', period.entries)
  redis.call('ZCARD', period.visible)
  redis.call('ZCARD', period.hidden)
  if period.ties == DENSE then
    redis.call('ZCARD', period.tuples)
    redis.call('HLEN', period.counts)
  end
end

-- A number as a varint (LEB128).
local function varint(number)
  local bytes = ''
  while number >= 128 do
    bytes = bytes .. string.char(128 + number % 128)
    number = math.floor(number / 128)
  end
  return bytes .. string.char(number)
end

-- The tuple of an order key, and its player.
local function tuple_of(period, key)
  return string.sub(key, 1, narrow_end(key, period.columns))
end

local function player_of(period, key)
  return string.sub(key, narrow_end(key, period.columns + 1) + 1)
end

-- Takes a packed entry apart: place (tuple and time), attempts, metadata as it is stored.
local function open_entry(period, packed)
  local place_end = narrow_end(packed, period.columns + 1)
  local attempts, attempts_end = varint_at(packed, place_end + 1)
  if not attempts then
    corrupt('entry')
  end
  return string.sub(packed, 1, place_end), attempts, string.sub(packed, attempts_end + 1)
end

-- The order key of a player's entry, or nothing when there is none; and the packed entry.
local function key_of(period, player)
  local packed = redis.call('HGET', period.entries, player)
  if not packed then
    return nil
  end
  return open_entry(period, packed) .. player, packed
end

-- How many visible entries (for dense: different tuples) are better, and one: the rank at this order key,
-- whether its entry is visible or not.
local function rank_of(period, key)
  if period.ties == DENSE then
    return redis.call('ZLEXCOUNT', period.tuples, '-', '(' .. tuple_of(period, key)) + 1
  end
  if period.ties == SHARED then
    return redis.call('ZLEXCOUNT', period.visible, '-', '(' .. tuple_of(period, key)) + 1
  end
  local index = redis.call('ZRANK', period.visible, key)
  return (index or redis.call('ZLEXCOUNT', period.visible, '-', '(' .. key)) + 1
end

-- Reads the counts of the tuples of order keys that are about to change (one or two; the player may be left out), so that
-- one that is no number is found before the first write.
local function check_tuples(period, first, second)
  if period.ties == DENSE then
    local counts = redis.call('HMGET', period.counts, tuple_of(period, first), tuple_of(period, second or first))
    count_if_there(counts[1], 'count of a tuple')
    count_if_there(counts[2], 'count of a tuple')
  end
end

-- Keeps the different visible tuples: `by` is 1 or -1.
local function count_tuple(period, key, by)
  if period.ties ~= DENSE then
    return
  end
  local tuple = tuple_of(period, key)
  local left = redis.call('HINCRBY', period.counts, tuple, by)
  if left <= 0 then
    redis.call('HDEL', period.counts, tuple)
    redis.call('ZREM', period.tuples, tuple)
  elseif left == by then
    redis.call('ZADD', period.tuples, 0, tuple)
  end
end

-- A key that was made after the period's deadline was set gets the same one.
local function keep_deadline(period)
  if not period.expires_at then
    return
  end
  period.deadline = period.deadline or redis.call('PEXPIRETIME', period.meta)
  if period.deadline > 0 then
    for _, key in ipairs({period.entries, period.visible, period.hidden, period.tuples, period.counts}) do
      redis.call('PEXPIREAT', key, period.deadline, 'NX')
    end
  end
end

-- Gives a period that is there another deadline, or none.
local function set_deadline(period, expires_at, now)
  if expires_at then
    redis.call('HSET', period.meta, 'x', expires_at)
  else
    redis.call('HDEL', period.meta, 'x')
  end
  for _, key in ipairs({period.meta, period.entries, period.visible, period.hidden, period.tuples, period.counts}) do
    if expires_at then
      redis.call('PEXPIRE', key, math.max(1, expires_at - now))
    else
      redis.call('PERSIST', key)
    end
  end
  period.expires_at, period.deadline = expires_at, nil
end

-- Moves an entry from one order key to another (either may be nil), into the set that `hidden` tells.
-- Whether that changed anything: an entry that was in the wrong set is moved even when its key stays.
local function seat(period, old, new, hidden)
  if period.rebuilt_until then
    -- The copies of a rebuild do not have what changes here, so it begins again (see rebuild.lua).
    redis.call('HDEL', period.meta, 'r')
    period.rebuilt_until = nil
  end
  local right, wrong = period.visible, period.hidden
  if hidden then
    right, wrong = wrong, right
  end
  local was_wrong = old and redis.call('ZREM', wrong, old) == 1
  if old == new and not was_wrong then
    return false
  end
  local was_right = old and not was_wrong and redis.call('ZREM', right, old) == 1
  if (hidden and was_wrong) or (was_right and not hidden) then
    count_tuple(period, old, -1)
  end
  if new then
    redis.call('ZADD', right, 0, new)
    if not hidden then
      count_tuple(period, new, 1)
    end
  end
  return true
end
