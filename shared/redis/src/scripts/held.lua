-- How many entries a tenant holds in all its leaderboards and periods. Needs words, period, clock.
--
-- Two keys of the tenant. A hash: under '' the count of all, and under the name of each period that expires (its
-- leaderboard, a colon, its id) the part of the count that goes with it. A sorted set: these names by the instant at
-- which the server drops the period, in milliseconds. What has expired is taken off when somebody asks; what is
-- there is counted when somebody asks for the first time, and from then on kept up by all who change it.

local function held_at(counts, expiring)
  return {counts = counts, expiring = expiring}
end

-- The count as it stands, or nothing while nobody has asked for it. To be called before the first write.
local function open_held(held)
  if not held.is_open then
    local total = redis.call('HGET', held.counts, '')
    redis.call('ZCARD', held.expiring)
    held.total = total and count_of(total, 'count of entries')
    held.is_open = true
  end
  return held.total
end

-- Counts an entry that came (1) or went (-1).
local function add_held(held, period, name, by)
  if open_held(held) then
    held.total = redis.call('HINCRBY', held.counts, '', by)
    if period.expires_at then
      redis.call('HINCRBY', held.counts, name, by)
    end
  end
end

-- Follows a period's deadline, which has just been set or lifted.
local function follow_deadline(held, period, name)
  if not open_held(held) then
    return
  end
  if period.expires_at then
    redis.call('HSET', held.counts, name, redis.call('HLEN', period.entries))
    redis.call('ZADD', held.expiring, redis.call('PEXPIRETIME', period.meta), name)
  else
    redis.call('HDEL', held.counts, name)
    redis.call('ZREM', held.expiring, name)
  end
end

-- Takes a period that is gone, or is about to go with so many entries, off the count.
local function drop_held(held, name, entries)
  if not open_held(held) then
    return
  end
  local own = redis.call('HGET', held.counts, name)
  local gone = own and count_of(own, 'count of entries') or entries
  if gone > 0 then
    held.total = redis.call('HINCRBY', held.counts, '', -gone)
  end
  if own then
    redis.call('HDEL', held.counts, name)
    redis.call('ZREM', held.expiring, name)
  end
end

-- All that there is, read before anything is written.
local function count_all(held)
  local total, counts, deadlines = 0, {}, {}
  for _, board in ipairs(redis.call('ZRANGE', held.boards, 0, -1)) do
    for _, id in ipairs(redis.call('ZRANGE', held.begin .. board .. held.periods, 0, -1)) do
      local entries = redis.call('HLEN', held.begin .. board .. held.entries .. id)
      local deadline = redis.call('PEXPIRETIME', held.begin .. board .. held.meta .. id)
      total = total + entries
      if deadline > 0 then
        local name = board .. ':' .. id
        counts[name], deadlines[name] = entries, deadline
      end
    end
  end
  for name, deadline in pairs(deadlines) do
    redis.call('HSET', held.counts, name, counts[name])
    redis.call('ZADD', held.expiring, deadline, name)
  end
  redis.call('HSET', held.counts, '', total)
  return total
end

-- The count without what has expired. `held` then knows the tenant's list of leaderboards, and what the keys of a
-- leaderboard begin with and those of its list of periods and of a period's meta and entries go on with.
local function count_held(held)
  if held.is_exact then
    return held.total
  end
  if not open_held(held) then
    held.total = count_all(held)
  end
  local now_ms = math.floor(now_us() / 1000)
  for _, name in ipairs(redis.call('ZRANGE', held.expiring, '-inf', now_ms, 'BYSCORE')) do
    local board, id = string.match(name, '^([^:]*):(.*)$')
    if redis.call('EXISTS', held.begin .. board .. held.meta .. id) == 0 then
      drop_held(held, name, 0)
    end
  end
  held.is_exact = true
  return held.total
end

-- KEYS: the tenant's list of leaderboards. ARGV: the four parts of keys that `count_held` needs.
local function take_boards(held)
  held.boards, held.begin, held.periods = take_key(), take(), take()
  held.meta, held.entries = take(), take()
end
