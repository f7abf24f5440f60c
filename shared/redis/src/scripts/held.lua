-- How many entries a tenant holds in all its leaderboards and periods. Needs words, period, clock.
--
-- Two keys of the tenant. A hash: under '' the count of all, and under the name of each period (its leaderboard, a colon,
-- its id) the part of the count that is in it. A sorted set: the names of periods that expire by the instant at which the
-- server drops them, in milliseconds; what has expired is taken off in steps. Everyone who writes keeps the count up, from
-- a tenant's first leaderboard on.
--
-- A store of an earlier version has periods that the count does not have. While that is so, the hash has a field ':', the
-- last leaderboard whose periods have been counted; a period that is written before its turn is counted then.

local EXPIRED_PER_STEP = 200

-- `parts`: the parts of the count that have been read; false for a period that has none.
local function held_at(counts, expiring)
  return {counts = counts, expiring = expiring, parts = {}}
end

-- Reads the count, and its parts that are in these periods (any number of names). To be called before the first write.
local function open_held(held, ...)
  local unread = {}
  for _, name in ipairs({...}) do
    if held.parts[name] == nil then
      unread[#unread + 1] = name
    end
  end
  if held.is_open and #unread == 0 then
    return
  end
  local fields = redis.call('HMGET', held.counts, '', ':', unpack(unread))
  for at, name in ipairs(unread) do
    held.parts[name] = count_if_there(fields[at + 2], 'count of entries') or false
  end
  if not held.is_open then
    redis.call('ZCARD', held.expiring)
    held.total = count_if_there(fields[1], 'count of entries')
    held.counted_to = fields[2]
    held.is_open = true
  end
end

-- Begins the count: all there is has been counted when the tenant has nothing.
local function begin_held(held, has_nothing)
  open_held(held)
  if held.total then
    return
  end
  held.total, held.counted_to = 0, not has_nothing and ''
  redis.call('HSET', held.counts, '', 0)
  if held.counted_to then
    redis.call('HSET', held.counts, ':', '')
  end
end

-- Writes a part of the count; nothing for none. The total goes with it: it is what the parts come to.
local function set_part(held, name, entries)
  held.total = math.max(0, held.total + (entries or 0) - (held.parts[name] or 0))
  held.parts[name] = entries or false
  if entries then
    redis.call('HSET', held.counts, '', held.total, name, entries)
  else
    redis.call('HSET', held.counts, '', held.total)
    redis.call('HDEL', held.counts, name)
  end
end

-- Counts a period that an earlier version has made, unless it has been counted. Whether it was not.
local function adopt(held, period, name)
  if held.parts[name] or (held.parts[name] == nil and redis.call('HEXISTS', held.counts, name) == 1) then
    return false
  end
  local entries, deadline = redis.call('HLEN', period.entries), redis.call('PEXPIRETIME', period.meta)
  set_part(held, name, entries)
  if deadline > 0 then
    redis.call('ZADD', held.expiring, deadline, name)
  end
  return true
end

-- Counts an entry that has come (1) or gone (-1).
local function add_held(held, period, name, by)
  open_held(held, name)
  begin_held(held, false)
  if not held.counted_to or not adopt(held, period, name) then
    set_part(held, name, math.max(0, (held.parts[name] or 0) + by))
  end
end

-- Follows a period's deadline, which has just been set or lifted.
local function follow_deadline(held, period, name)
  if period.expires_at then
    redis.call('ZADD', held.expiring, redis.call('PEXPIRETIME', period.meta), name)
  else
    redis.call('ZREM', held.expiring, name)
  end
end

-- Takes a period that is gone, or is about to go, off the count.
local function drop_held(held, name)
  open_held(held, name)
  if held.total and held.parts[name] then
    set_part(held, name, nil)
  end
  redis.call('ZREM', held.expiring, name)
end

-- Takes some of what has expired off the count, once in a call. `held` then knows what `take_boards` takes. The count is
-- exact afterwards when all has been counted and no more has expired (`is_exact`); otherwise it takes more steps.
local function drop_expired(held)
  open_held(held)
  if held.is_exact ~= nil then
    return
  end
  local now_ms = math.floor(now_us() / 1000)
  local due = redis.call('ZRANGE', held.expiring, '-inf', now_ms, 'BYSCORE', 'LIMIT', 0, EXPIRED_PER_STEP)
  for _, name in ipairs(due) do
    if not string.find(name, ':', 1, true) then
      corrupt('name of a period')
    end
  end
  open_held(held, unpack(due))
  for _, name in ipairs(due) do
    local board, id = string.match(name, '^([^:]*):(.*)$')
    local deadline = redis.call('PEXPIRETIME', held.begin .. board .. held.meta .. id)
    if deadline == -2 then
      drop_held(held, name)
    elseif deadline == -1 then
      redis.call('ZREM', held.expiring, name)
    else
      redis.call('ZADD', held.expiring, deadline, name)
    end
  end
  held.is_exact = #due < EXPIRED_PER_STEP and not held.counted_to
end

-- KEYS: the tenant's list of leaderboards. ARGV: what the keys of a leaderboard begin with, and those of its list of
-- periods and of a period's meta and entries go on with.
local function take_boards(held)
  held.boards, held.begin, held.periods = take_key(), take(), take()
  held.meta, held.entries = take(), take()
end
