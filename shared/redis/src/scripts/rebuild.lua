-- Puts a period's entries into another order. Needs words.lua and period.lua.
--
-- The new sets are made beside the old ones, which stay whole until all is done.

local REBUILD_STEP = 1000

-- Columns of a layout's bytes, after the policy and the number of columns: each a 1 when ascending, the
-- length of its name and the name (shorter than 128 bytes, so that one byte is the length).
local function columns_of(layout)
  local columns, at = {}, 3
  for index = 1, string.byte(layout, 2) do
    local ascending, length = string.byte(layout, at, at + 1)
    if not length then
      corrupt('layout')
    end
    columns[index] = {ascending = ascending == 1, name = string.sub(layout, at + 2, at + 1 + length)}
    at = at + 2 + length
  end
  return columns
end

local function inverted(eight)
  local hi, lo = struct.unpack('>I4I4', eight)
  return struct.pack('>I4I4', HALF - 1 - hi, HALF - 1 - lo)
end

-- How each word of a new place comes about: from which byte of the old one and whether inverted, or fixed.
local function recipe(old, new)
  local old_columns, steps = columns_of(old.layout), {}
  for index, column in ipairs(columns_of(new.layout)) do
    local zero = '\128\0\0\0\0\0\0\0'
    steps[index] = {fixed = column.ascending and zero or inverted(zero)}
    for from, candidate in ipairs(old_columns) do
      if candidate.name == column.name then
        steps[index] = {from = (from - 1) * 8 + 1, invert = candidate.ascending ~= column.ascending}
      end
    end
  end
  steps[#steps + 1] = {from = old.columns * 8 + 1, invert = (old.ties == 1) ~= (new.ties == 1)}
  return steps
end

local function new_place(old, steps, place)
  local old_words, words = widen(place, old.columns + 1), {}
  for at, step in ipairs(steps) do
    local eight = step.fixed or string.sub(old_words, step.from, step.from + 7)
    words[at] = step.invert and inverted(eight) or eight
  end
  return narrow(table.concat(words))
end

-- Copies the entries of one set of `old` into the same set of `new`.
local function copy_entries(old, new, steps, set, hidden)
  for start = 0, redis.call('ZCARD', old[set]) - 1, REBUILD_STEP do
    local order_keys = redis.call('ZRANGE', old[set], start, start + REBUILD_STEP - 1)
    local players, entries, members = {}, {}, {}
    for at, key in ipairs(order_keys) do
      players[at] = player_of(old, key)
    end
    for at, packed in ipairs(redis.call('HMGET', old.entries, unpack(players))) do
      if not packed then
        corrupt('entry')
      end
      local old_place = open_entry(old, packed)
      local place = new_place(old, steps, old_place)
      entries[#entries + 1] = players[at]
      entries[#entries + 1] = place .. string.sub(packed, #old_place + 1)
      members[#members + 1] = 0
      members[#members + 1] = place .. players[at]
      if not hidden then
        count_tuple(new, place, 1)
      end
    end
    redis.call('HSET', new.entries, unpack(entries))
    redis.call('ZADD', new[set], unpack(members))
  end
end

-- `spare` names six keys that only a rebuild uses. The deadline is the caller's to set again.
local function rebuild(period, spare, layout)
  redis.call('UNLINK', spare.entries, spare.visible, spare.hidden, spare.tuples, spare.counts)
  set_layout(spare, layout)
  local steps = recipe(period, spare)
  copy_entries(period, spare, steps, 'visible', false)
  copy_entries(period, spare, steps, 'hidden', true)
  if redis.call('HLEN', spare.entries) ~= redis.call('HLEN', period.entries) then
    corrupt('entries')
  end
  for _, name in ipairs({'entries', 'visible', 'hidden', 'tuples', 'counts'}) do
    redis.call('UNLINK', period[name])
    if redis.call('EXISTS', spare[name]) == 1 then
      redis.call('RENAME', spare[name], period[name])
    end
  end
end
