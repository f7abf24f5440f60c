-- Erases a player's entries and claims in all periods of a leaderboard.
-- KEYS: the configuration, the log, the list of periods, the entry counts, the periods that expire, the tenant's log
-- sizes.
-- ARGV[1]: the player; [2]: the pseudonym; [3]: the event of a removal without its period; [4]: the leaderboard's id;
-- [5..10]: the prefixes of the period keys; [11..16]: those of the spare keys.
-- Returns the position of the log's last event, or nothing when the leaderboard does not exist.

local player, pseudonym, board = ARGV[1], ARGV[2], ARGV[4]
local prefixes, spare_prefixes = read_key_prefixes(5), read_key_prefixes(11)
local entry_counts, log_sizes = new_entry_counts(KEYS[4], KEYS[5]), new_log_sizes(KEYS[6])

-- Returns the periods that have an entry or a claim of the player. Writes nothing.
local function find_periods()
  local found, names = {}, {}
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    local period = period_by_id(prefixes, id)
    local claim = redis.call('HGET', period.meta, 'c:' .. player)
    if redis.call('HEXISTS', period.entries, player) == 1 and load_period(period).layout then
      check_period_types(period)
      period.key, period.packed = find_order_key(period, player)
      check_tuple_counts(period, period.key)
      period.is_banned = redis.call('ZSCORE', period.banned, period.key) ~= false
      period.name = board .. ':' .. id
      names[#names + 1] = period.name
    end
    if period.key or claim then
      period.id, period.claim = id, claim
      found[#found + 1] = period
    end
  end
  load_entry_counts(entry_counts, unpack(names))
  return found
end

-- Gives the pseudonym to a visible entry of final standings, so that nobody's place changes.
local function rename_entry(period)
  local prefix, attempts = unpack_entry(period, period.packed)
  redis.call('ZADD', period.visible, '0', prefix .. pseudonym)
  redis.call('ZREM', period.visible, period.key)
  redis.call('HSET', period.entries, pseudonym, prefix .. encode_varint(attempts))
  redis.call('HDEL', period.entries, player)
end

local function remove_entry(period, log)
  local position = append_event(log, ARGV[3] .. encode_varint(#period.id) .. period.id)
  redis.call('HDEL', period.entries, player)
  add_entry_count(entry_counts, period, period.name, -1)
  move_entry(period, period.key, nil, period.is_banned)
  redis.call('HSET', period.meta, 'v', position)
end

if redis.call('EXISTS', KEYS[1]) == 0 then
  return {}
end
local found = find_periods()
local log = load_log(new_log(KEYS[2], KEYS[1], log_sizes))
for _, period in ipairs(found) do
  if period.key and period.freeze and not period.is_banned then
    rename_entry(period)
  elseif period.key then
    remove_entry(period, log)
  end
  if period.claim then
    redis.call('HSET', period.meta, 'c:' .. pseudonym, period.claim)
    redis.call('HDEL', period.meta, 'c:' .. player)
  end
  -- A rebuild may have copied the entry. Without its mark it begins again.
  redis.call('HDEL', period.meta, 'r')
  local _, spare = period_by_id(spare_prefixes, period.id)
  redis.call('UNLINK', unpack(spare))
end
close_log(log, 0)
write_log_sizes(log_sizes)
return {newest_position(KEYS[2])}
