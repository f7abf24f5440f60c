-- What every read of a period begins with. Needs words.lua and period.lua.
--
-- KEYS: the configuration and the period's six keys. ARGV[1]: the configuration's version as the caller knows
-- it.
-- A read answers {0} when that is no longer the current one, and otherwise a flat list that begins with
-- 1, the layout's bytes ('' when the period has never had an entry), version and number of visible entries.

local function open_reading()
  if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then
    return nil
  end
  return load(period_at(KEYS, 2))
end

local function answer_head(period)
  period.count = redis.call('ZCARD', period.visible)
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
local function answer_window(answer, period, total, start, order_keys)
  answer[#answer + 1] = total
  answer[#answer + 1] = start
  local rank = start + 1
  if order_keys[1] and period.ties >= SHARED then
    rank = rank_of(period, order_keys[1])
  end
  answer[#answer + 1] = rank
  local extras = extras_of(period, order_keys)
  for at, key in ipairs(order_keys) do
    answer[#answer + 1] = key
    answer[#answer + 1] = extras[at]
  end
  return answer
end
