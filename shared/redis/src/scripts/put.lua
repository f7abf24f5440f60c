-- Creates or replaces a configuration. Needs words, period, clock, held, families, expected, rebuild.
-- KEYS: the configuration, the tenant's list of leaderboards, the tenant's last version, the log; the current
-- period's six keys; six spare keys for a rebuild; the tenant's count of entries and periods that expire.
-- ARGV[1]: what must be there ('any', 'absent' or a version); [2]: the leaderboard's id; [3]: its bytes;
-- [4]: its layout's bytes; [5]: 1 when a rebuild is allowed; [6]: the most entries of one; [7]: the event;
-- [8]: now; [9]: how many leaderboards the tenant may have ('' for any number); [10..15]: prefixes of the periods'
-- keys; then pairs of a period's id and its expiry ('' for none).
-- Answers {'ok', version, created}, {'version', current or ''}, {'entries'}, {'many'} or {'full'}.

local there = redis.call('HMGET', KEYS[1], 'b', 'v')
local current = there[2] or ''
if not is_expected(current, ARGV[1]) then
  return {'version', current}
end
if there[1] == ARGV[3] then
  return {'ok', current, 0}
end

local period = load(period_at(KEYS, 5))
local reorders = period.layout and period.layout ~= ARGV[4]
local entries = reorders and redis.call('HLEN', period.entries) or 0
if entries > 0 and ARGV[5] ~= '1' then
  return {'entries'}
elseif entries > tonumber(ARGV[6]) then
  return {'many'}
end
local max_leaderboards = tonumber(ARGV[9])
if current == '' and max_leaderboards and redis.call('ZCARD', KEYS[2]) >= max_leaderboards then
  return {'full'}
end
check_types(period)
redis.call('ZCARD', KEYS[2])
redis.call('XLEN', KEYS[4])
local held = held_at(KEYS[17], KEYS[18])
open_held(held)

local function set_expiry(id, expires_at)
  local named = period_of(prefixes_at(10), id)
  if redis.call('EXISTS', named.meta) == 1 then
    set_deadline(named, expires_at, tonumber(ARGV[8]))
    follow_deadline(held, named, ARGV[2] .. ':' .. id)
  end
end

-- First what can fail on its way: the rebuild leaves everything as it was until its end.
if entries > 0 then
  rebuild(period, period_at(KEYS, 11), ARGV[4])
  keep_deadline(period)
end
local version = redis.call('INCR', KEYS[3])
redis.call('HSET', KEYS[1], 'b', ARGV[3], 'v', version)
redis.call('ZADD', KEYS[2], 0, ARGV[2])
local position = append(KEYS[4], ARGV[7])
if reorders then
  redis.call('HSET', period.meta, 'l', ARGV[4])
  if entries > 0 then
    redis.call('HSET', period.meta, 'v', position)
  end
end
for at = 16, #ARGV, 2 do
  set_expiry(ARGV[at], tonumber(ARGV[at + 1]))
end
return {'ok', string.format('%.0f', version), current == '' and 1 or 0}
