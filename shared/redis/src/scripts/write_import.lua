-- Writes parts of a leaderboard that is being imported.
-- KEYS: the import, the tenant's log sizes, the entry counts, the periods that expire, the log, the list of periods, the
-- bytes of the snapshots, the parts of the imported snapshot.
-- ARGV[1]: the leaderboard's id; [2]: the state that the import must have; [3]: its new state; [4], [5]: the most entries
-- that the tenant may have, and the most bytes that its logs, snapshots and records may weigh ('' for no maximum); [6],
-- [7]: by how much the parts add to both; [8]: the span of now; [9]: now; [10..15]: the prefixes of the period keys; then
-- the parts, each with its letter first:
-- p: id, layout's bytes, bounds, start, expiry ('' for none), version, freeze ('' for none), number of reopenings
-- e: period, player, '1' for a banned player, order-key prefix with wide integers, attempts and metadata as stored
-- c: period, player, claim
-- b: bytes of the snapshot
-- s: position and instant of the snapshot, which is complete
-- v: position, event
-- n: period, version
-- Returns 'ok', 'changed' for another state, 'entries' or 'log' for too much.

local there = redis.call('HMGET', KEYS[1], 'id', 'state', 'n', 'f', 'p')
if there[1] ~= ARGV[1] or there[2] ~= ARGV[2] then
  return {'changed'}
end
local log_sizes, entry_counts = new_log_sizes(KEYS[2]), new_entry_counts(KEYS[3], KEYS[4])
load_log_sizes(log_sizes, tonumber(ARGV[8]))
load_entry_counts(entry_counts)
local max_entries, max_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local added_entries, added_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])
if max_entries and added_entries > 0 and entry_counts.total + added_entries > max_entries then
  return {'entries'}
elseif max_bytes and added_bytes > 0 and log_sizes.events + log_sizes.records + added_bytes > max_bytes then
  return {'log'}
end
local size = parse_optional_count(there[3], LOG_SIZE) or 0
local prefixes, now, periods, first_event = read_key_prefixes(10), tonumber(ARGV[9]), {}, there[4]

-- Returns a period, or nil if the store has deleted it because it expired.
local function find_period(id)
  if periods[id] == nil then
    periods[id] = load_period(period_by_id(prefixes, id))
  end
  return periods[id].layout and periods[id]
end

local function add_period(id, layout, bounds, start, expires_at, version, freeze, reopened)
  local period = period_by_id(prefixes, id)
  set_layout(period, layout)
  drop_period_count(entry_counts, ARGV[1] .. ':' .. id)
  redis.call('HSET', period.meta, 'l', layout, 'b', bounds, 'v', version)
  if freeze ~= '' then
    redis.call('HSET', period.meta, 'f', freeze)
  end
  if reopened ~= '0' then
    redis.call('HSET', period.meta, 'o', reopened)
  end
  redis.call('ZADD', KEYS[6], start, id)
  if expires_at ~= '' then
    set_deadline(period, tonumber(expires_at), now)
    record_deadline(entry_counts, period, ARGV[1] .. ':' .. id)
  end
  periods[id] = period
end

local function add_entry(id, player, is_banned, wide_prefix, extra)
  local period = find_period(id)
  if period then
    local prefix = narrow(wide_prefix)
    redis.call('HSET', period.entries, player, prefix .. extra)
    redis.call('ZADD', is_banned == '1' and period.banned or period.visible, '0', prefix .. player)
    if is_banned ~= '1' then
      add_tuple_count(period, prefix .. player, 1)
    end
    period.has_new = true
  end
end

local function add_snapshot(position, instant)
  redis.call('HSET', KEYS[7], position, table.concat(redis.call('LRANGE', KEYS[8], 0, -1)))
  redis.call('DEL', KEYS[8])
  redis.call('HSET', KEYS[1], 'p', position .. ' ' .. instant .. ',')
end

local function add_event(position, event)
  redis.call('XADD', KEYS[5], '0-' .. position, 'e', event)
  first_event = first_event or position
end

local function set_field(id, field, value)
  local period = find_period(id)
  if period then
    redis.call('HSET', period.meta, field, value)
  end
end

local parts = {
  p = {8, add_period}, e = {5, add_entry}, s = {2, add_snapshot}, v = {2, add_event},
  c = {3, function(id, player, claim) set_field(id, 'c:' .. player, claim) end},
  b = {1, function(bytes) redis.call('RPUSH', KEYS[8], bytes) end},
  n = {2, function(id, version) set_field(id, 'v', version) end},
}
local at = 16
while ARGV[at] do
  local count, add = unpack(parts[ARGV[at]])
  add(unpack(ARGV, at + 1, at + count))
  at = at + 1 + count
end
for id, period in pairs(periods) do
  if period.has_new then
    copy_deadline(period)
    load_entry_counts(entry_counts, ARGV[1] .. ':' .. id)
    set_period_count(entry_counts, ARGV[1] .. ':' .. id, redis.call('HLEN', period.entries))
  end
end
log_sizes.new_events = added_bytes
write_log_sizes(log_sizes)
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'at', ARGV[9], 'n', to_decimal(size + added_bytes))
if first_event then
  redis.call('HSET', KEYS[1], 'f', first_event)
end
return {'ok'}
