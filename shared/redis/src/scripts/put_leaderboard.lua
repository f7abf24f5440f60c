-- Creates or replaces a configuration.
-- KEYS[1]: the configuration; [2]: the tenant's list of leaderboards; [3]: the tenant's last version; [4]: the log;
-- [5..10]: the current period's six keys; [11..16]: six spare keys for a rebuild; [17]: the entry counts; [18]: the
-- periods that expire; [19]: the deleted leaderboards that still have periods; [20]: the list of periods; [21]: the
-- list of expiries; [22]: the tenant's log sizes; [23]: the leaderboard that the tenant is rebuilding; [24]: the
-- leaderboard that the tenant is importing.
-- ARGV[1]: the expected version (see `is_expected`); [2]: the leaderboard's id; [3]: its bytes; [4]: its layout's
-- bytes; [5]: 1 to allow a rebuild; [6]: the maximum number of entries that a rebuild may have; [7]: the event; [8]:
-- now; [9]: the tenant's maximum number of leaderboards ('' for no maximum); [10..15]: the prefixes of the period
-- keys; [16], [17]: how many events the log keeps and for how many milliseconds; then pairs of a period's id and its
-- expiry ('' for none).
-- Returns {'ok', version, created, 1 when expiries are left to apply}, {'version', current version or ''},
-- {'entries'} when a rebuild is needed but not allowed, {'many'} for too many entries, {'full'} for too many
-- leaderboards, {'import'} when the leaderboard is being imported, or {'unfinished'} when more steps are needed: for the rebuild (or another rebuild of the tenant), for
-- the deletion of an earlier leaderboard with this id, or for an earlier change. 'unfinished' leaves the
-- configuration as it is, and the same call continues the work.

local there = redis.call('HMGET', KEYS[1], 'b', 'v')
local current = there[2] or ''
if not is_expected(current, ARGV[1]) then
  return {'version', current}
end
if current == '' and redis.call('HGET', KEYS[24], 'id') == ARGV[2] then
  return {'import'}
end
local entry_counts = new_entry_counts(KEYS[17], KEYS[18])
load_entry_counts(entry_counts)
if not apply_expiries(entry_counts, KEYS[21], ARGV[2], read_key_prefixes(10), tonumber(ARGV[8])) then
  return {'unfinished'}
end
local period = load_period(period_from_keys(KEYS, 5))
if there[1] == ARGV[3] and (not period.layout or period.layout == ARGV[4]) then
  return {'ok', current, 0, 0}
end
if not continue_deletion(entry_counts, KEYS[19], ARGV[2], KEYS[20], read_key_prefixes(10)) then
  return {'unfinished'}
end

-- Reads the period again, because `continue_deletion` can have deleted it.
period = load_period(period_from_keys(KEYS, 5))
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
check_period_types(period)
redis.call('ZCARD', KEYS[2])
local log_sizes = new_log_sizes(KEYS[22])
local log = load_log(new_log(KEYS[4], KEYS[1], log_sizes))
read_expiries(ARGV, 18, read_key_prefixes(10))
log.keep_events, log.keep_ms = tonumber(ARGV[16]), tonumber(ARGV[17])
local _, version = next_version(KEYS[3])

-- The rebuild comes first because it can fail; it changes nothing before its end.
if entries > 0 then
  local spare = period_from_keys(KEYS, 11)
  if not take_turn(KEYS[23], ARGV[2], entries) or not rebuild_step(period, spare, ARGV[4]) then
    return {'unfinished'}
  end
  end_turn(KEYS[23], ARGV[2])
  swap_in_rebuilt(period, spare)
  copy_deadline(period)
end
if redis.call('ZCARD', KEYS[2]) == 0 then
  start_entry_counts(entry_counts, true)
end
redis.call('SET', KEYS[3], version)
redis.call('HSET', KEYS[1], 'b', ARGV[3], 'v', version, 'k', ARGV[16], 'd', ARGV[17])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
local position = append_event(log, ARGV[7])
close_log(log, 0)
write_log_sizes(log_sizes)
if reorders then
  redis.call('HSET', period.meta, 'l', ARGV[4])
  if entries > 0 then
    redis.call('HSET', period.meta, 'v', position)
  end
end
local is_done = true
if #ARGV > 17 then
  redis.call('RPUSH', KEYS[21], unpack(ARGV, 18))
  is_done = apply_expiries(entry_counts, KEYS[21], ARGV[2], read_key_prefixes(10), tonumber(ARGV[8]))
end
return {'ok', version, current == '' and 1 or 0, is_done and 0 or 1}
