-- Puts a period's entries into another order, in steps. Needs words, period, clock.
--
-- The new sets are made beside the old ones, in spare keys, and reads go on from the old ones until all is done. The spare
-- meta says which order they are for ('l'), and how far the copy is: the set ('s') and how many of it ('n'). The period's meta
-- has a field 'r' meanwhile: until when, by the server's clock, no score is taken. Whatever else is written to the period
-- takes that field away (`seat` does), and the rebuild then begins again: a copy is never older than what it replaces.
-- A rebuild that nobody goes on with holds up scores until that instant, and its keys expire.

-- Entries copied in one command: it holds up the server for about ten milliseconds.
local REBUILD_STEP = 1000
-- For how long no score is taken after a step, in milliseconds.
local REBUILD_LEASE_MS = 2000
-- For how long the copies of a rebuild are kept after a step, in milliseconds.
local SPARE_KEPT_MS = 3600000

-- Lets a leaderboard's rebuild go on: one of a tenant at a time, so that tenants who rebuild many leaderboards at once hold up
-- the server for no longer. One that is done in a step needs no turn. A turn that nobody goes on with ends by itself.
local function takes_turn(key, board, entries)
  if entries <= REBUILD_STEP then
    return true
  end
  if (redis.call('GET', key) or board) ~= board then
    return false
  end
  redis.call('SET', key, board, 'PX', REBUILD_LEASE_MS)
  return true
end

-- Lets the next rebuild begin.
local function end_turn(key, board)
  if redis.call('GET', key) == board then
    redis.call('UNLINK', key)
  end
end

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

-- Copies some entries of one set of `old`, from an index on, into the same set of `new`. How many there were.
local function copy_entries(old, new, steps, set, start, most)
  local order_keys = redis.call('ZRANGE', old[set], start, start + most - 1)
  if #order_keys == 0 then
    return 0
  end
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
  end
  for at = 2, set == 'visible' and #members or 0, 2 do
    count_tuple(new, members[at], 1)
  end
  redis.call('HSET', new.entries, unpack(entries))
  redis.call('ZADD', new[set], unpack(members))
  return #order_keys
end

-- One step of a rebuild: copies up to REBUILD_STEP entries. Begins again when another order was begun, or when the period
-- has been written since the last step. Whether all are copied.
local function rebuild_some(period, spare, layout)
  local done = redis.call('HMGET', spare.meta, 'l', 's', 'n')
  if not period.rebuilt_until or done[1] ~= layout then
    redis.call('UNLINK', spare.meta, spare.entries, spare.visible, spare.hidden, spare.tuples, spare.counts)
    done = {layout, 'visible', '0'}
  end
  set_layout(spare, layout)
  check_types(spare)
  local steps, set, copied = recipe(period, spare), done[2], count_of(done[3], 'rebuild')
  if set ~= 'visible' and set ~= 'hidden' then
    corrupt('rebuild')
  end
  local count = copy_entries(period, spare, steps, set, copied, REBUILD_STEP)
  if count < REBUILD_STEP and set == 'visible' then
    set, copied = 'hidden', 0
    count = copy_entries(period, spare, steps, set, copied, REBUILD_STEP - count)
  end
  redis.call('HSET', spare.meta, 'l', layout, 's', set, 'n', copied + count)
  for _, key in ipairs({spare.meta, spare.entries, spare.visible, spare.hidden, spare.tuples, spare.counts}) do
    redis.call('PEXPIRE', key, SPARE_KEPT_MS)
  end
  period.rebuilt_until = math.floor(now_us() / 1000) + REBUILD_LEASE_MS
  redis.call('HSET', period.meta, 'r', period.rebuilt_until)
  local left = redis.call('HLEN', period.entries) - redis.call('HLEN', spare.entries)
  if left < 0 or (left > 0 and set == 'hidden' and count == 0) then
    corrupt('entries')
  end
  return left == 0
end

-- Puts the copies in place of a period's entries. The deadline is the caller's to set again.
local function swap_rebuilt(period, spare)
  redis.call('HDEL', period.meta, 'r')
  redis.call('UNLINK', spare.meta)
  for _, name in ipairs({'entries', 'visible', 'hidden', 'tuples', 'counts'}) do
    redis.call('UNLINK', period[name])
    if redis.call('EXISTS', spare[name]) == 1 then
      redis.call('RENAME', spare[name], period[name])
      redis.call('PERSIST', period[name])
    end
  end
end
