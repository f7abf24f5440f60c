-- Stores a snapshot of a leaderboard, and deletes those that it replaces. Snapshots weigh as much as events.
--
-- The field 'p' of the configuration lists the snapshots: position, a space, the instant, and a comma for each. So a
-- leaderboard that is deleted and created again has none, also if an earlier version of this code deleted it.
-- KEYS: the configuration, the tenant's log sizes, the bytes of the snapshots (hash by position).
-- ARGV[1]: the position; [2]: the instant; [3]: the bytes; [4]: the version of the configuration; [5]: the most bytes
-- that the tenant's logs, snapshots and records may weigh ('' for no limit); [6]: the span of now; [7]: the weight of a
-- snapshot beside its bytes; then the positions to delete.
-- Returns 1 when there is a snapshot at the position now, or 0.

local log_sizes, list, exists, grown = new_log_sizes(KEYS[2]), {}, 0, 0
local version, size, listed = unpack(redis.call('HMGET', KEYS[1], 'v', 'n', 'p'))
if version ~= ARGV[4] then
  return 0
end
size = parse_optional_count(size, LOG_SIZE) or 0
load_log_sizes(log_sizes, tonumber(ARGV[6]))
local replaced = {}
for at = 8, #ARGV do
  replaced[ARGV[at]] = true
end
for position, instant in string.gmatch(listed or '', '(%d+) (%-?%d+),') do
  if replaced[position] then
    grown = grown - redis.call('HSTRLEN', KEYS[3], position) - ARGV[7]
    redis.call('HDEL', KEYS[3], position)
  else
    list[#list + 1] = position .. ' ' .. instant .. ','
    exists = position == ARGV[1] and 1 or exists
  end
end
local weight = #ARGV[3] + ARGV[7]
local weight_of_all = log_sizes.events + log_sizes.records + grown + weight
if exists == 0 and (ARGV[5] == '' or weight_of_all <= tonumber(ARGV[5])) then
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
  list[#list + 1] = ARGV[1] .. ' ' .. ARGV[2] .. ','
  grown, exists = grown + weight, 1
end
local now_listed = table.concat(list)
if now_listed ~= (listed or '') then
  redis.call('HSET', KEYS[1], 'p', now_listed, 'n', to_decimal(math.max(0, size + grown)))
  log_sizes.new_events = grown
  write_log_sizes(log_sizes)
end
return exists
