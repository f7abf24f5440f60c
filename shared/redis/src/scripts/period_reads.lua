-- The beginning of every read of a period. Needs numbers.lua, period.lua and bans.lua.
--
-- KEYS: the configuration, the period's six keys, the state of the tenant's bans; for a read of a replica also the
-- primary's clock (see write_clock.lua) and the log. ARGV[1]: the configuration's version that the caller knows, a
-- space, and now; without `now`, the read ignores pending bans. For a read of a replica follow a space, the position
-- up to which the log is needed, a space, and the instant of the primary's clock up to which all changes are needed.
-- A read returns {0} when that version is no longer current, {2} when the leaderboard has pending bans, {3} when a
-- replica lacks needed changes, and otherwise a flat list that begins with the head: 1, the layout's bytes ('' when the
-- period has never had an entry), the period's version, the number of listed entries.

-- Returns whether this server, a replica, lacks changes that the caller needs.
local function lacks_changes(needed)
  local position, instant = string.match(needed, '^ (%d+) (%d+)$')
  local clock = parse_optional_count(redis.call('GET', KEYS[9]), 'clock')
  if not clock or clock < tonumber(instant) then
    return true
  end
  return position ~= '0' and tonumber(newest_position(KEYS[10])) < tonumber(position)
end

-- Returns the period; or nil and the reply.
local function open_read()
  local version, now, needed = string.match(ARGV[1], '^(%d+) (%-?%d*)(.*)$')
  if needed ~= '' and lacks_changes(needed) then
    return nil, {3}
  end
  local there = redis.call('HMGET', KEYS[1], 'v', 's')
  if there[1] ~= version then
    return nil, {0}
  end
  if now ~= '' and has_pending_bans(read_ban_state(KEYS[8]), there[2], tonumber(now)) then
    return nil, {2}
  end
  return load_period(period_from_keys(KEYS, 2))
end

-- Lists the banned entry of the player who reads. Does nothing when that player has no banned entry.
local function show_own_entry(period, player)
  local key = player ~= '' and period.layout and find_order_key(period, player)
  if key and redis.call('ZSCORE', period.banned, key) then
    period.shown = key
  end
end

-- Returns whether `a` sorts before `b`, byte by byte.
local function is_bytewise_before(a, b)
  for at = 1, math.min(#a, #b) do
    local left, right = string.byte(a, at), string.byte(b, at)
    if left ~= right then
      return left < right
    end
  end
  return #a < #b
end

-- Returns how many listed entries are before a key, or before and at a key.
local function count_entries_before(period, key, and_at)
  local count = redis.call('ZLEXCOUNT', period.visible, '-', (and_at and '[' or '(') .. key)
  local shown = period.shown
  if shown and (is_bytewise_before(shown, key) or (and_at and shown == key)) then
    count = count + 1
  end
  return count
end

-- Returns the rank of a key in the list, with the reader's own banned entry included.
local function compute_list_rank(period, key)
  local rank, shown = compute_rank(period, key), period.shown
  if not shown then
    return rank
  end
  local is_behind = is_bytewise_before(shown, key)
  if period.ties >= SHARED then
    local tuple = extract_tuple(period, shown)
    is_behind = is_bytewise_before(tuple, extract_tuple(period, key))
    if is_behind and period.ties == DENSE and redis.call('ZSCORE', period.tuples, tuple) then
      is_behind = false
    end
  end
  return is_behind and rank + 1 or rank
end

-- Returns the listed order keys from index `start` to index `stop` - 1.
local function read_order_keys(period, start, stop)
  if stop <= start then
    return {}
  end
  local own = period.shown and redis.call('ZLEXCOUNT', period.visible, '-', '(' .. period.shown)
  if not own or own >= stop then
    return redis.call('ZRANGE', period.visible, start, stop - 1)
  elseif own < start then
    return redis.call('ZRANGE', period.visible, start - 1, stop - 2)
  end
  -- Read one key fewer from the set, and insert the reader's own.
  local order_keys = {}
  if stop - 1 > start then
    order_keys = redis.call('ZRANGE', period.visible, start, stop - 2)
  end
  table.insert(order_keys, own - start + 1, period.shown)
  return order_keys
end

local function start_reply(period)
  period.count = redis.call('ZCARD', period.visible) + (period.shown and 1 or 0)
  return {1, period.layout or '', string.format('%.0f', period.version), period.count}
end

-- Returns the rest of the packed entries, attempts and metadata, in the order of the order keys.
local function read_extras(period, order_keys)
  if #order_keys == 0 then
    return {}
  end
  local players = {}
  for at, key in ipairs(order_keys) do
    players[at] = extract_player(period, key)
  end
  local extras = redis.call('HMGET', period.entries, unpack(players))
  for at, packed in ipairs(extras) do
    local prefix_bytes = #order_keys[at] - #players[at]
    if not packed or string.sub(packed, 1, prefix_bytes) ~= string.sub(order_keys[at], 1, prefix_bytes) then
      corrupt('entry')
    end
    extras[at] = string.sub(packed, prefix_bytes + 1)
  end
  return extras
end

-- Adds a window of the list to a reply: the number of listed entries, the index and the rank of the window's first
-- entry, then order key and extra of each entry. The client derives the other ranks.
local function add_window(reply, period, start, order_keys)
  reply[#reply + 1] = period.count
  reply[#reply + 1] = start
  local rank = start + 1
  if order_keys[1] and period.ties >= SHARED then
    rank = compute_list_rank(period, order_keys[1])
  end
  reply[#reply + 1] = rank
  local extras = read_extras(period, order_keys)
  for at, key in ipairs(order_keys) do
    reply[#reply + 1] = key
    reply[#reply + 1] = extras[at]
  end
  return reply
end
