-- Rebuilds a period in another order, in steps. Needs numbers.lua, period.lua and clock.lua.
--
-- The rebuild copies the entries to spare keys; reads use the old keys until the copy is complete. The spare meta
-- holds the new layout ('l'), and how far the copy is: the set ('s') and how many of its entries ('n'). Meanwhile the
-- period's meta has a field 'r': the instant, by the server's clock, until which submissions are refused. Every other
-- write to the period deletes that field (in `move_entry`), and the rebuild then starts again, so a copy is never
-- older than the entries that it replaces. If the client stops the rebuild, submissions are refused until that
-- instant, and the spare keys expire.

-- The number of entries that one command copies. They hold up the server for about ten milliseconds.
local REBUILD_STEP = 1000
-- For how many milliseconds after a step submissions are refused.
local REBUILD_LEASE_MS = 2000
-- For how many milliseconds after a step the spare keys are kept.
local SPARE_KEPT_MS = 3600000
-- The set names that 's' stores, and the fields of a period that hold these sets.
local FIELD_OF_SET = {visible = 'visible', hidden = 'banned'}

-- Returns whether this leaderboard may rebuild now. A tenant rebuilds one leaderboard at a time, so that a tenant
-- with many rebuilds holds up the server no longer than others. A rebuild of one step needs no turn. An abandoned
-- turn expires.
local function take_turn(key, board, entries)
  if entries <= REBUILD_STEP then
    return true
  end
  if (redis.call('GET', key) or board) ~= board then
    return false
  end
  redis.call('SET', key, board, 'PX', REBUILD_LEASE_MS)
  return true
end

-- Lets the tenant's next rebuild begin.
local function end_turn(key, board)
  if redis.call('GET', key) == board then
    redis.call('UNLINK', key)
  end
end

-- Returns the columns of a layout's bytes. They follow the policy and the number of columns; each column is a 1 when
-- ascending, the length of its name, and the name. A name is shorter than 128 bytes, so its length is one byte.
local function parse_columns(layout)
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

local function invert_int(eight)
  local hi, lo = struct.unpack('>I4I4', eight)
  return struct.pack('>I4I4', HALF - 1 - hi, HALF - 1 - lo)
end

-- Returns for each integer of a new prefix: the byte of the old prefix at which its source begins and whether to
-- invert it, or a fixed value for a new column.
local function plan_columns(old, new)
  local old_columns, column_steps = parse_columns(old.layout), {}
  for index, column in ipairs(parse_columns(new.layout)) do
    local zero = '\128\0\0\0\0\0\0\0'
    column_steps[index] = {fixed = column.ascending and zero or invert_int(zero)}
    for from, candidate in ipairs(old_columns) do
      if candidate.name == column.name then
        column_steps[index] = {from = (from - 1) * 8 + 1, invert = candidate.ascending ~= column.ascending}
      end
    end
  end
  column_steps[#column_steps + 1] = {from = old.columns * 8 + 1, invert = (old.ties == 1) ~= (new.ties == 1)}
  return column_steps
end

local function reorder_prefix(old, column_steps, prefix)
  local old_ints, ints = widen(prefix, old.columns + 1), {}
  for at, step in ipairs(column_steps) do
    local eight = step.fixed or string.sub(old_ints, step.from, step.from + 7)
    ints[at] = step.invert and invert_int(eight) or eight
  end
  return narrow(table.concat(ints))
end

-- Copies up to `most` entries of one set of `old`, from index `start` on, to the same set of `new`. Returns how many
-- entries were copied.
local function copy_entries(old, new, column_steps, set, start, most)
  local order_keys = redis.call('ZRANGE', old[set], start, start + most - 1)
  if #order_keys == 0 then
    return 0
  end
  local players, entries, members = {}, {}, {}
  for at, key in ipairs(order_keys) do
    players[at] = extract_player(old, key)
  end
  for at, packed in ipairs(redis.call('HMGET', old.entries, unpack(players))) do
    if not packed then
      corrupt('entry')
    end
    local old_prefix = unpack_entry(old, packed)
    local prefix = reorder_prefix(old, column_steps, old_prefix)
    entries[#entries + 1] = players[at]
    entries[#entries + 1] = prefix .. string.sub(packed, #old_prefix + 1)
    members[#members + 1] = 0
    members[#members + 1] = prefix .. players[at]
  end
  for at = 2, set == 'visible' and #members or 0, 2 do
    add_tuple_count(new, members[at], 1)
  end
  redis.call('HSET', new.entries, unpack(entries))
  redis.call('ZADD', new[set], unpack(members))
  return #order_keys
end

-- Copies up to REBUILD_STEP entries. Starts again when the layout has changed, or when the period was written after
-- the last step. Returns whether all entries are copied.
local function rebuild_step(period, spare, layout)
  local done = redis.call('HMGET', spare.meta, 'l', 's', 'n')
  if not period.rebuilt_until or done[1] ~= layout then
    redis.call('UNLINK', spare.meta, spare.entries, spare.visible, spare.banned, spare.tuples, spare.counts)
    done = {layout, 'visible', '0'}
  end
  set_layout(spare, layout)
  check_period_types(spare)
  local column_steps, set, copied = plan_columns(period, spare), done[2], parse_count(done[3], 'rebuild')
  if not FIELD_OF_SET[set] then
    corrupt('rebuild')
  end
  local count = copy_entries(period, spare, column_steps, FIELD_OF_SET[set], copied, REBUILD_STEP)
  if count < REBUILD_STEP and set == 'visible' then
    set, copied = 'hidden', 0
    count = copy_entries(period, spare, column_steps, FIELD_OF_SET[set], copied, REBUILD_STEP - count)
  end
  redis.call('HSET', spare.meta, 'l', layout, 's', set, 'n', copied + count)
  for _, key in ipairs({spare.meta, spare.entries, spare.visible, spare.banned, spare.tuples, spare.counts}) do
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

-- Replaces a period's entries by the copies. The caller sets the deadline again.
local function swap_in_rebuilt(period, spare)
  redis.call('HDEL', period.meta, 'r')
  redis.call('UNLINK', spare.meta)
  for _, name in ipairs({'entries', 'visible', 'banned', 'tuples', 'counts'}) do
    redis.call('UNLINK', period[name])
    if redis.call('EXISTS', spare[name]) == 1 then
      redis.call('RENAME', spare[name], period[name])
      redis.call('PERSIST', period[name])
    end
  end
end
