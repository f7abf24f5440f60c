-- What every read of a period begins with. Needs words.lua, period.lua and bans.lua.
--
-- KEYS: the configuration, the period's six keys, the state of the tenant's bans. ARGV[1]: the configuration's version as the
-- caller knows it, and now; without it, bans that are yet to be applied do not matter.
-- A read answers {0} when that version is no longer the current one, {2} when bans are yet to be applied to the leaderboard,
-- and otherwise a flat list that begins with 1, the layout's bytes ('' when the period has never had an entry), version and
-- number of entries in the list.

-- The period, or nothing and what to answer.
local function open_reading()
  local version, now = string.match(ARGV[1], '^(%d+) (%-?%d*)$')
  local there = redis.call('HMGET', KEYS[1], 'v', 's')
  if there[1] ~= version then
    return nil, {0}
  end
  if now ~= '' and is_behind(KEYS[8], there[2], tonumber(now)) then
    return nil, {2}
  end
  return load(period_at(KEYS, 2))
end

-- Shows a banned player in the list: the one who asks. Does nothing for anybody else.
local function show_own(period, player)
  local key = player ~= '' and period.layout and key_of(period, player)
  if key and redis.call('ZSCORE', period.hidden, key) then
    period.shown = key
  end
end

-- Whether `a` stands before `b`, byte by byte.
local function precedes(a, b)
  for at = 1, math.min(#a, #b) do
    local left, right = string.byte(a, at), string.byte(b, at)
    if left ~= right then
      return left < right
    end
  end
  return #a < #b
end

-- How many entries of the list stand before a key, or before it and at it.
local function count_before(period, key, and_at)
  local count = redis.call('ZLEXCOUNT', period.visible, '-', (and_at and '[' or '(') .. key)
  local shown = period.shown
  if shown and (precedes(shown, key) or (and_at and shown == key)) then
    count = count + 1
  end
  return count
end

-- The rank of a key in the list.
local function list_rank(period, key)
  local rank, shown = rank_of(period, key), period.shown
  if not shown then
    return rank
  end
  local before = precedes(shown, key)
  if period.ties >= SHARED then
    local tuple = tuple_of(period, shown)
    before = precedes(tuple, tuple_of(period, key))
    if before and period.ties == DENSE and redis.call('ZSCORE', period.tuples, tuple) then
      before = false
    end
  end
  return before and rank + 1 or rank
end

-- The order keys of the list from index `start` up to `stop`, which is not among them.
local function keys_between(period, start, stop)
  if stop <= start then
    return {}
  end
  local own = period.shown and redis.call('ZLEXCOUNT', period.visible, '-', '(' .. period.shown)
  if not own or own >= stop then
    return redis.call('ZRANGE', period.visible, start, stop - 1)
  elseif own < start then
    return redis.call('ZRANGE', period.visible, start - 1, stop - 2)
  end
  -- One fewer comes from the set, and the shown one goes between.
  local order_keys = {}
  if stop - 1 > start then
    order_keys = redis.call('ZRANGE', period.visible, start, stop - 2)
  end
  table.insert(order_keys, own - start + 1, period.shown)
  return order_keys
end

local function answer_head(period)
  period.count = redis.call('ZCARD', period.visible) + (period.shown and 1 or 0)
  return {1, period.layout or '', string.format('%.0f', period.version), period.count}
end

-- What the entries hold beside their order keys: attempts and metadata, packed, in the order of the keys.
local function extras_of(period, order_keys)
  if #order_keys == 0 then
    return {}
  end
  local players = {}
  for at, key in ipairs(order_keys) do
    players[at] = player_of(period, key)
  end
  local extras = redis.call('HMGET', period.entries, unpack(players))
  for at, packed in ipairs(extras) do
    local place_bytes = #order_keys[at] - #players[at]
    if not packed or string.sub(packed, 1, place_bytes) ~= string.sub(order_keys[at], 1, place_bytes) then
      corrupt('entry')
    end
    extras[at] = string.sub(packed, place_bytes + 1)
  end
  return extras
end

-- Completes an answer with a window of the list: how many entries there are, the index of the window's first
-- one and its rank, then order key and extra of each. The ranks of the others follow from these.
local function answer_window(answer, period, start, order_keys)
  answer[#answer + 1] = period.count
  answer[#answer + 1] = start
  local rank = start + 1
  if order_keys[1] and period.ties >= SHARED then
    rank = list_rank(period, order_keys[1])
  end
  answer[#answer + 1] = rank
  local extras = extras_of(period, order_keys)
  for at, key in ipairs(order_keys) do
    answer[#answer + 1] = key
    answer[#answer + 1] = extras[at]
  end
  return answer
end
