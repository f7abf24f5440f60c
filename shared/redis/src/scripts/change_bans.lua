-- Bans a player, ends a ban, or applies pending changes of bans.
--
-- A ban is one record and one change. The script applies the change to the leaderboards in the order of their ids, as
-- far as the budget of one call allows. Every later call of this script continues, so a request that fails loses
-- nothing. A call can name leaderboards to apply first, because a caller is about to read or write them.
--
-- KEYS: the tenant's leaderboards; the ban records, their players, their ends, the pending changes, the ban state;
-- the tenant's log sizes.
-- ARGV[1]: 'ban', 'unban' or 'apply'; [2]: now; [3]: the prefix of a leaderboard's keys; [4..6]: the endings of its
-- configuration, log and list of periods; [7..12]: the endings of a period's six keys. Then, for 'ban': the player,
-- the record, the event, the maximum number of bans; for 'unban': the player, the event; for 'apply': the
-- leaderboards to apply first.
-- Returns a code: 0 for success, 1 for too many bans, 2 when too many changes are pending and the caller has to call
-- again. Then 1 when the named leaderboards (without names: all leaderboards) are up to date, otherwise 0.

-- The number of entries that one call looks up. They take a few milliseconds.
local MAX_LOOKUPS = 2000
-- The maximum number of pending changes.
local MAX_CHANGES = 256
local BOARDS_PER_STEP = 100

local boards, bans, players, ends, changes, state = unpack(KEYS)
local log_sizes = new_log_sizes(KEYS[7])
local now, budget, pending = tonumber(ARGV[2]), MAX_LOOKUPS, {}

local function leaderboard_key(board, at)
  return ARGV[3] .. board .. ARGV[at]
end

-- Reads the pending changes, and every value that the script is about to write. Runs before the first write.
local function load_changes()
  for _, number in ipairs(redis.call('HMGET', state, 'n', 'p', 'x', 't')) do
    parse_optional_count(number, 'change of bans')
  end
  redis.call('ZCARD', players)
  redis.call('ZCARD', boards)
  redis.call('ZCARD', ends)
  load_events_size(log_sizes)
  if ARGV[1] ~= 'apply' then
    is_ban_active(redis.call('HGET', bans, ARGV[13]), now)
  end
  for at, change in ipairs(redis.call('ZRANGE', changes, 0, -1)) do
    local banned, length = string.byte(change, 9, 10)
    if not length or #change <= 10 + length then
      corrupt('change of bans')
    end
    local hi, lo = struct.unpack('>I4I4', change)
    pending[at] = {
      number = hi * HALF + lo, banned = banned == 49,
      player = string.sub(change, 11, 10 + length), event = string.sub(change, 11 + length),
    }
  end
end

-- Adds a pending change: the player's entries have to move to the other set.
local function add_change(player, banned, event)
  local number = redis.call('HINCRBY', state, 'n', 1)
  redis.call('HSET', state, 'p', number)
  local change = encode_int(number) .. (banned and '1' or '0') .. string.char(#player) .. player .. event
  redis.call('ZADD', changes, number, change)
  pending[#pending + 1] = {number = number, banned = banned, player = player, event = event}
end

local function update_next_end()
  local first = redis.call('ZRANGE', ends, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('HSET', state, 'x', string.format('%.0f', tonumber(first[2])))
  else
    redis.call('HDEL', state, 'x')
  end
end

local function delete_ban(player)
  redis.call('HDEL', bans, player)
  redis.call('ZREM', players, player)
  redis.call('ZREM', ends, player)
end

-- Ends the bans that are over, in the order of their ends, up to the maximum number of pending changes.
local function end_bans()
  local room = MAX_CHANGES - #pending
  local over = redis.call('ZRANGE', ends, '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, math.max(0, room))
  local events = {}
  for at, player in ipairs(over) do
    local record = redis.call('HGET', bans, player) or ''
    local length = #record >= BAN_HEAD and struct.unpack('>I2', record, BAN_HEAD - 1)
    if not length or length == 0 or #record < BAN_HEAD + length then
      corrupt('ban')
    end
    events[at] = string.sub(record, BAN_HEAD + 1, BAN_HEAD + length)
  end
  for at, player in ipairs(over) do
    delete_ban(player)
    add_change(player, false, events[at])
  end
  if #over > 0 then
    update_next_end()
  end
end

-- Moves a player's entries of one leaderboard to the visible or to the banned set. The log gets one event for all of
-- them.
local function apply_change(board, ids, change)
  local found = {}
  for _, id in ipairs(ids) do
    local keys = {}
    for at = 7, 12 do
      keys[#keys + 1] = leaderboard_key(board, at) .. id
    end
    local period = period_from_keys(keys, 1)
    if redis.call('HEXISTS', period.entries, change.player) == 1 then
      local key = load_period(period).layout and find_order_key(period, change.player)
      if key and redis.call('ZSCORE', change.banned and period.visible or period.banned, key) then
        check_period_types(period)
        check_tuple_counts(period, key)
        period.moving = key
        found[#found + 1] = period
      end
    end
  end
  if #found == 0 then
    return
  end
  local log = load_log(new_log(leaderboard_key(board, 5), leaderboard_key(board, 4), log_sizes))
  local position = append_event(log, change.event)
  close_log(log, 0)
  write_log_sizes(log_sizes)
  for _, period in ipairs(found) do
    move_entry(period, period.moving, period.moving, change.banned)
    redis.call('HSET', period.meta, 'v', position)
  end
end

-- Applies the pending changes to a leaderboard while the budget lasts. Returns whether the leaderboard is up to date.
local function bring_up_to_date(board)
  local configuration = leaderboard_key(board, 4)
  local there = redis.call('HMGET', configuration, 'v', 's')
  if not there[1] then
    return true
  end
  local applied, ids = parse_optional_count(there[2], 'change of bans') or 0, nil
  for _, change in ipairs(pending) do
    if change.number > applied then
      if budget <= 0 then
        return false
      end
      ids = ids or redis.call('ZRANGE', leaderboard_key(board, 6), 0, -1)
      budget = budget - 1 - #ids
      apply_change(board, ids, change)
      redis.call('HSET', configuration, 's', change.number)
    end
  end
  return true
end

-- Continues the walk over all leaderboards while the budget lasts. Returns whether no change is pending.
local function apply_to_all()
  while budget > 0 do
    local walked = redis.call('HMGET', state, 'p', 't', 'c')
    local last, cursor = parse_optional_count(walked[1], 'change of bans'), walked[3] or ''
    if not last then
      return true
    end
    local target = parse_optional_count(walked[2], 'change of bans') or last
    local from = cursor == '' and '-' or '(' .. cursor
    local step = redis.call('ZRANGE', boards, from, '+', 'BYLEX', 'LIMIT', 0, BOARDS_PER_STEP)
    local done = 0
    for _, board in ipairs(step) do
      budget = budget - 1
      if not bring_up_to_date(board) then
        break
      end
      cursor, done = board, done + 1
    end
    if done < #step or #step == BOARDS_PER_STEP then
      redis.call('HSET', state, 't', target, 'c', cursor)
    else
      redis.call('ZREMRANGEBYSCORE', changes, '-inf', target)
      redis.call('HDEL', state, 't', 'c')
      if last == target then
        redis.call('HDEL', state, 'p')
      end
    end
  end
  return redis.call('HEXISTS', state, 'p') == 0
end

local function put_ban(player, record, event, max_bans)
  local known = redis.call('HGET', bans, player)
  if known then
    record = string.sub(record, 1, 8) .. string.sub(known, 9, 16) .. string.sub(record, 17)
  elseif redis.call('HLEN', bans) >= max_bans then
    return 1
  end
  redis.call('HSET', bans, player, record)
  redis.call('ZADD', players, 0, player)
  local ends_at = read_ban_end(record)
  if ends_at then
    redis.call('ZADD', ends, ends_at, player)
  else
    redis.call('ZREM', ends, player)
  end
  update_next_end()
  if not known then
    add_change(player, true, event)
  end
  return 0
end

local function remove_ban(player, event)
  if redis.call('HEXISTS', bans, player) == 1 then
    delete_ban(player)
    update_next_end()
    add_change(player, false, event)
  end
  return 0
end

load_changes()
end_bans()
local reply = 0
if ARGV[1] ~= 'apply' and #pending >= MAX_CHANGES then
  reply = 2
elseif ARGV[1] == 'ban' then
  reply = put_ban(ARGV[13], ARGV[14], ARGV[15], tonumber(ARGV[16]))
elseif ARGV[1] == 'unban' then
  reply = remove_ban(ARGV[13], ARGV[14])
end
local up_to_date = true
if ARGV[1] == 'apply' then
  for at = 13, #ARGV do
    up_to_date = bring_up_to_date(ARGV[at]) and up_to_date
  end
  up_to_date = up_to_date and #redis.call('ZRANGE', ends, '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, 1) == 0
end
local has_walked, all_done = pcall(apply_to_all)
if not has_walked then
  -- Ignore the error of a ban that is stored: requests to the damaged leaderboard report it.
  if ARGV[1] == 'apply' or reply == 2 then
    error(all_done)
  end
  all_done = false
end
if ARGV[1] ~= 'apply' or #ARGV < 13 then
  up_to_date = all_done
end
return {reply, up_to_date and 1 or 0}
