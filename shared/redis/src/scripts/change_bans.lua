-- Bans a player, ends a ban, or applies what is yet to be applied. Needs words, period, log, bans.
--
-- A ban is one record and one change. The change is applied to the leaderboards in the order of their ids, in this call as
-- far as its work goes, and then by every later call of this script: nothing is lost with a request that dies. A call may
-- name leaderboards that come first, because somebody is about to read or to write them.
--
-- KEYS: the tenant's leaderboards, then of its bans: records, players, ends, changes, state; what its logs weigh.
-- ARGV[1]: 'ban', 'unban' or 'apply'; [2]: now; [3]: what the keys of a leaderboard begin with; [4..6]: how those of its
-- configuration, log and periods go on; [7..12]: the same of a period's six keys. Then, to ban: the player, the record, the
-- event, how many bans there may be; to unban: the player, the event; to apply: the leaderboards that come first.
-- Answers 0, or 1 for too many bans, or 2 when too many changes wait and it has to be called again; then 1 when the
-- leaderboards named are up to date (without names: all).

-- How many entries are looked for in one call; that takes a few milliseconds.
local MAX_LOOKS = 2000
-- How many changes may wait.
local MAX_CHANGES = 256
local BOARDS_PER_STEP = 100

local boards, bans, players, ends, changes, state = unpack(KEYS)
local weights = weights_at(KEYS[7])
local now, looks, pending = tonumber(ARGV[2]), MAX_LOOKS, {}

local function of_board(board, at)
  return ARGV[3] .. board .. ARGV[at]
end

-- Reads what waits, and what is about to be written: before the first write.
local function open_changes()
  for _, number in ipairs(redis.call('HMGET', state, 'n', 'p', 'x', 't')) do
    count_if_there(number, 'change of bans')
  end
  redis.call('ZCARD', players)
  redis.call('ZCARD', boards)
  redis.call('ZCARD', ends)
  open_weights(weights)
  if ARGV[1] ~= 'apply' then
    holds(redis.call('HGET', bans, ARGV[13]), now)
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

-- Notes that the entries of a player are to be moved.
local function add_change(player, banned, event)
  local number = redis.call('HINCRBY', state, 'n', 1)
  redis.call('HSET', state, 'p', number)
  local change = word(number) .. (banned and '1' or '0') .. string.char(#player) .. player .. event
  redis.call('ZADD', changes, number, change)
  pending[#pending + 1] = {number = number, banned = banned, player = player, event = event}
end

local function note_next_end()
  local first = redis.call('ZRANGE', ends, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('HSET', state, 'x', string.format('%.0f', tonumber(first[2])))
  else
    redis.call('HDEL', state, 'x')
  end
end

local function drop_ban(player)
  redis.call('HDEL', bans, player)
  redis.call('ZREM', players, player)
  redis.call('ZREM', ends, player)
end

-- Ends bans that are over, in the order in which they end, as many as may wait.
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
    drop_ban(player)
    add_change(player, false, events[at])
  end
  if #over > 0 then
    note_next_end()
  end
end

-- Moves a player's entries of one leaderboard to the side where they belong, with one event for all of them.
local function apply(board, ids, change)
  local found = {}
  for _, id in ipairs(ids) do
    local keys = {}
    for at = 7, 12 do
      keys[#keys + 1] = of_board(board, at) .. id
    end
    local period = period_at(keys, 1)
    if redis.call('HEXISTS', period.entries, change.player) == 1 then
      local key = load(period).layout and key_of(period, change.player)
      if key and redis.call('ZSCORE', change.banned and period.visible or period.hidden, key) then
        check_types(period)
        check_tuples(period, key)
        period.moving = key
        found[#found + 1] = period
      end
    end
  end
  if #found == 0 then
    return
  end
  local log = open_log(log_at(of_board(board, 5), of_board(board, 4), weights))
  local position = append(log, change.event)
  close_log(log, 0)
  for _, period in ipairs(found) do
    seat(period, period.moving, period.moving, change.banned)
    redis.call('HSET', period.meta, 'v', position)
    keep_deadline(period)
  end
end

-- Applies to a leaderboard what is pending, as far as the work of this call goes. Whether it is up to date.
local function bring_up_to_date(board)
  local configuration = of_board(board, 4)
  local there = redis.call('HMGET', configuration, 'v', 's')
  if not there[1] then
    return true
  end
  local applied, ids = count_if_there(there[2], 'change of bans') or 0, nil
  for _, change in ipairs(pending) do
    if change.number > applied then
      if looks <= 0 then
        return false
      end
      ids = ids or redis.call('ZRANGE', of_board(board, 6), 0, -1)
      looks = looks - 1 - #ids
      apply(board, ids, change)
      redis.call('HSET', configuration, 's', change.number)
    end
  end
  return true
end

-- Goes on with the walk over the leaderboards, as far as the work of this call goes. Whether no change waits any more.
local function walk()
  while looks > 0 do
    local walked = redis.call('HMGET', state, 'p', 't', 'c')
    local last, cursor = count_if_there(walked[1], 'change of bans'), walked[3] or ''
    if not last then
      return true
    end
    local target = count_if_there(walked[2], 'change of bans') or last
    local from = cursor == '' and '-' or '(' .. cursor
    local step = redis.call('ZRANGE', boards, from, '+', 'BYLEX', 'LIMIT', 0, BOARDS_PER_STEP)
    local done = 0
    for _, board in ipairs(step) do
      looks = looks - 1
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

local function ban(player, record, event, max_bans)
  local known = redis.call('HGET', bans, player)
  if known then
    record = string.sub(record, 1, 8) .. string.sub(known, 9, 16) .. string.sub(record, 17)
  elseif redis.call('HLEN', bans) >= max_bans then
    return 1
  end
  redis.call('HSET', bans, player, record)
  redis.call('ZADD', players, 0, player)
  local ends_at = ban_end(record)
  if ends_at then
    redis.call('ZADD', ends, ends_at, player)
  else
    redis.call('ZREM', ends, player)
  end
  note_next_end()
  if not known then
    add_change(player, true, event)
  end
  return 0
end

local function unban(player, event)
  if redis.call('HEXISTS', bans, player) == 1 then
    drop_ban(player)
    note_next_end()
    add_change(player, false, event)
  end
  return 0
end

open_changes()
end_bans()
local answer = 0
if ARGV[1] ~= 'apply' and #pending >= MAX_CHANGES then
  answer = 2
elseif ARGV[1] == 'ban' then
  answer = ban(ARGV[13], ARGV[14], ARGV[15], tonumber(ARGV[16]))
elseif ARGV[1] == 'unban' then
  answer = unban(ARGV[13], ARGV[14])
end
local up_to_date = true
if ARGV[1] == 'apply' then
  for at = 13, #ARGV do
    up_to_date = bring_up_to_date(ARGV[at]) and up_to_date
  end
  up_to_date = up_to_date and #redis.call('ZRANGE', ends, '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, 1) == 0
end
local has_walked, all_done = pcall(walk)
if not has_walked then
  -- A ban that has been made stays so. What is wrong with a leaderboard is told to those who read or write it.
  if ARGV[1] == 'apply' or answer == 2 then
    error(all_done)
  end
  all_done = false
end
if ARGV[1] ~= 'apply' or #ARGV < 13 then
  up_to_date = all_done
end
return {answer, up_to_date and 1 or 0}
