-- Creates or replaces a configuration. Needs words, period, clock, versions, held, log, families, gone, expiries,
-- expected, rebuild.
-- KEYS: the configuration, the tenant's list of leaderboards, the tenant's last version, the log; the current
-- period's six keys; six spare keys for a rebuild; the tenant's count of entries and periods that expire; the tenant's
-- leaderboards whose periods are still to be deleted, the list of periods, the list of expiries,
-- what the tenant's logs weigh, and which of its leaderboards is being rebuilt.
-- ARGV[1]: what must be there ('any', 'absent' or a version); [2]: the leaderboard's id; [3]: its bytes;
-- [4]: its layout's bytes; [5]: 1 when a rebuild is allowed; [6]: the most entries of one; [7]: the event;
-- [8]: now; [9]: how many leaderboards the tenant may have ('' for any number); [10..15]: prefixes of the periods'
-- keys; [16], [17]: how many events are kept and for how many milliseconds; then pairs of a period's id and its
-- expiry ('' for none).
-- Answers {'ok', version, created, 1 when expiries are left to be applied}, {'version', current or ''}, {'entries'},
-- {'many'}, {'full'}, or {'unfinished'} when the rebuild (or another one of the tenant), the deletion of an earlier leaderboard of that id, or an earlier
-- change takes more steps: nothing of the configuration is changed, and the same call again goes on.

local there = redis.call('HMGET', KEYS[1], 'b', 'v')
local current = there[2] or ''
if not is_expected(current, ARGV[1]) then
  return {'version', current}
end
local held = held_at(KEYS[17], KEYS[18])
open_held(held)
if not apply_expiries(held, KEYS[21], ARGV[2], prefixes_at(10), tonumber(ARGV[8])) then
  return {'unfinished'}
end
local period = load(period_at(KEYS, 5))
if there[1] == ARGV[3] and (not period.layout or period.layout == ARGV[4]) then
  return {'ok', current, 0, 0}
end
if not finish_deletion(held, KEYS[19], ARGV[2], KEYS[20], prefixes_at(10)) then
  return {'unfinished'}
end

-- What was there may have been deleted just now.
period = load(period_at(KEYS, 5))
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
local weights = weights_at(KEYS[22])
open_weights(weights)
local log = open_log(log_at(KEYS[4], KEYS[1], weights))
read_expiries(ARGV, 18, prefixes_at(10))
log.keep_events, log.keep_ms = tonumber(ARGV[16]), tonumber(ARGV[17])
local _, version = version_after(KEYS[3])

-- First what can fail on its way: the rebuild leaves everything as it was until its end.
if entries > 0 then
  local spare = period_at(KEYS, 11)
  if not takes_turn(KEYS[23], ARGV[2], entries) or not rebuild_some(period, spare, ARGV[4]) then
    return {'unfinished'}
  end
  end_turn(KEYS[23], ARGV[2])
  swap_rebuilt(period, spare)
  keep_deadline(period)
end
if redis.call('ZCARD', KEYS[2]) == 0 then
  begin_held(held, true)
end
redis.call('SET', KEYS[3], version)
redis.call('HSET', KEYS[1], 'b', ARGV[3], 'v', version, 'k', ARGV[16], 'd', ARGV[17])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
local position = append(log, ARGV[7])
close_log(log, 0)
if reorders then
  redis.call('HSET', period.meta, 'l', ARGV[4])
  if entries > 0 then
    redis.call('HSET', period.meta, 'v', position)
  end
end
local is_done = true
if #ARGV > 17 then
  redis.call('RPUSH', KEYS[21], unpack(ARGV, 18))
  is_done = apply_expiries(held, KEYS[21], ARGV[2], prefixes_at(10), tonumber(ARGV[8]))
end
return {'ok', version, current == '' and 1 or 0, is_done and 0 or 1}
