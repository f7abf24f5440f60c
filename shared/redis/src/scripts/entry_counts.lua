-- How many entries a tenant holds in all its leaderboards and periods, for the entry quota. Needs numbers.lua,
-- period.lua and clock.lua.
--
-- A tenant has two keys. The hash holds the total under '', and each period's count under the period's name:
-- leaderboard id, colon, period id. The sorted set holds the names of the periods that expire, scored by the instant
-- in milliseconds at which the server deletes them. Steps subtract expired periods from the total. From a tenant's
-- first leaderboard on, every script that writes entries keeps both keys up to date.
--
-- A store that an earlier version filled has periods without a count. Until a full count is done, the hash has a
-- field ':' with the last leaderboard whose periods have been counted. A write to a period that has not been counted
-- yet counts the period first.

local EXPIRED_PER_STEP = 200

-- `by_period` caches the counts that the script has read; false stands for a period without a count.
local function new_entry_counts(counts, expiring)
  return {counts = counts, expiring = expiring, by_period = {}}
end

-- Reads the total, and the counts of the named periods. Call this before the first write.
local function load_entry_counts(entry_counts, ...)
  local unread = {}
  for _, name in ipairs({...}) do
    if entry_counts.by_period[name] == nil then
      unread[#unread + 1] = name
    end
  end
  if entry_counts.is_open and #unread == 0 then
    return
  end
  local fields = redis.call('HMGET', entry_counts.counts, '', ':', unpack(unread))
  for at, name in ipairs(unread) do
    entry_counts.by_period[name] = parse_optional_count(fields[at + 2], 'count of entries') or false
  end
  if not entry_counts.is_open then
    redis.call('ZCARD', entry_counts.expiring)
    entry_counts.total = parse_optional_count(fields[1], 'count of entries')
    entry_counts.counted_to = fields[2]
    entry_counts.is_open = true
  end
end

-- Starts counting. If the tenant has no leaderboards (`is_empty`), the count is complete at once.
local function start_entry_counts(entry_counts, is_empty)
  load_entry_counts(entry_counts)
  if entry_counts.total then
    return
  end
  entry_counts.total, entry_counts.counted_to = 0, not is_empty and ''
  redis.call('HSET', entry_counts.counts, '', 0)
  if entry_counts.counted_to then
    redis.call('HSET', entry_counts.counts, ':', '')
  end
end

-- Writes the count of a period and changes the total by the difference. `entries` is nil to delete the period's
-- count.
local function set_period_count(entry_counts, name, entries)
  entry_counts.total = math.max(0, entry_counts.total + (entries or 0) - (entry_counts.by_period[name] or 0))
  entry_counts.by_period[name] = entries or false
  if entries then
    redis.call('HSET', entry_counts.counts, '', to_decimal(entry_counts.total), name, to_decimal(entries))
  else
    redis.call('HSET', entry_counts.counts, '', entry_counts.total)
    redis.call('HDEL', entry_counts.counts, name)
  end
end

-- Counts a period that an earlier version created, unless the period has a count. Returns whether it counted the
-- period.
local function count_earlier_period(entry_counts, period, name)
  local count = entry_counts.by_period[name]
  if count or (count == nil and redis.call('HEXISTS', entry_counts.counts, name) == 1) then
    return false
  end
  local entries, deadline = redis.call('HLEN', period.entries), redis.call('PEXPIRETIME', period.meta)
  set_period_count(entry_counts, name, entries)
  if deadline > 0 then
    redis.call('ZADD', entry_counts.expiring, deadline, name)
  end
  return true
end

-- Changes the count of a period by 1 or -1.
local function add_entry_count(entry_counts, period, name, by)
  load_entry_counts(entry_counts, name)
  start_entry_counts(entry_counts, false)
  if not entry_counts.counted_to or not count_earlier_period(entry_counts, period, name) then
    set_period_count(entry_counts, name, math.max(0, (entry_counts.by_period[name] or 0) + by))
  end
end

-- Records the deadline that a period has just got or lost.
local function record_deadline(entry_counts, period, name)
  if period.expires_at then
    redis.call('ZADD', entry_counts.expiring, redis.call('PEXPIRETIME', period.meta), name)
  else
    redis.call('ZREM', entry_counts.expiring, name)
  end
end

-- Subtracts a period that has been or is about to be deleted.
local function drop_period_count(entry_counts, name)
  load_entry_counts(entry_counts, name)
  if entry_counts.total and entry_counts.by_period[name] then
    set_period_count(entry_counts, name, nil)
  end
  redis.call('ZREM', entry_counts.expiring, name)
end

-- Subtracts some of the expired periods, once in a call. Call `read_leaderboard_keys` first. Sets `is_exact` to true
-- when all periods have been counted and no expired period is left; to false when more steps are needed.
local function drop_expired_counts(entry_counts)
  load_entry_counts(entry_counts)
  if entry_counts.is_exact ~= nil then
    return
  end
  if is_moving then
    -- The counts are being copied.
    entry_counts.is_exact = not entry_counts.counted_to
    return
  end
  local now_ms = math.floor(now_us() / 1000)
  local expired = redis.call('ZRANGE', entry_counts.expiring, '-inf', now_ms, 'BYSCORE', 'LIMIT', 0, EXPIRED_PER_STEP)
  for _, name in ipairs(expired) do
    if not string.find(name, ':', 1, true) then
      corrupt('name of a period')
    end
  end
  load_entry_counts(entry_counts, unpack(expired))
  for _, name in ipairs(expired) do
    local board, id = string.match(name, '^([^:]*):(.*)$')
    local deadline = redis.call('PEXPIRETIME', entry_counts.key_begin .. board .. entry_counts.meta_end .. id)
    if deadline == -2 then
      drop_period_count(entry_counts, name)
    elseif deadline == -1 then
      redis.call('ZREM', entry_counts.expiring, name)
    else
      redis.call('ZADD', entry_counts.expiring, deadline, name)
    end
  end
  entry_counts.is_exact = #expired < EXPIRED_PER_STEP and not entry_counts.counted_to
end

-- KEYS: the tenant's list of leaderboards. ARGV: the prefix of a leaderboard's keys; the ending of its list of
-- periods; the parts that go before a period's id in the keys of the period's meta and entries.
local function read_leaderboard_keys(entry_counts)
  entry_counts.leaderboards = next_key()
  entry_counts.key_begin, entry_counts.periods_end = next_argument(), next_argument()
  entry_counts.meta_end, entry_counts.entries_end = next_argument(), next_argument()
end
