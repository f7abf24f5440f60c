-- What a period has of a player, for a comparison with the event log. Needs period.lua.

local ABSENT, VISIBLE, BANNED, DAMAGED = 0, 1, 2, 3

-- Returns the state of a player's entry, the packed entry ('' for none), and its order key. An entry is DAMAGED if its
-- bytes are no entry, or its order key is not in exactly one of the two sets, with the score 0.
local function describe_entry(period, player)
  local packed = redis.call('HGET', period.entries, player)
  if not packed then
    return ABSENT, ''
  end
  local is_entry, prefix = pcall(unpack_entry, period, packed)
  if not is_entry then
    return DAMAGED, packed
  end
  local key = prefix .. player
  local visible, banned = redis.call('ZSCORE', period.visible, key), redis.call('ZSCORE', period.banned, key)
  if visible == '0' and not banned then
    return VISIBLE, packed, key
  elseif banned == '0' and not visible then
    return BANNED, packed, key
  end
  return DAMAGED, packed, key
end

-- Counts the visible entries with the tuple of an order key again. Does nothing for other ranks than dense ones.
local function count_tuple(period, key)
  if period.ties ~= DENSE then
    return
  end
  local tuple = extract_tuple(period, key)
  -- No narrow integer, which follows the tuple, begins with this byte.
  local count = redis.call('ZLEXCOUNT', period.visible, '[' .. tuple, '(' .. tuple .. '\255')
  if count > 0 then
    redis.call('HSET', period.counts, tuple, count)
    redis.call('ZADD', period.tuples, '0', tuple)
  else
    redis.call('HDEL', period.counts, tuple)
    redis.call('ZREM', period.tuples, tuple)
  end
end
