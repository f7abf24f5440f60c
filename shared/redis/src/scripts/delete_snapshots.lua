-- Deletes all snapshots of a leaderboard, and gives its configuration a new version, so that put_snapshot.lua refuses those
-- of earlier reads.
-- KEYS: the configuration, the tenant's log sizes, the bytes of the snapshots, the last version given to a configuration.
-- ARGV[1]: the span of now; [2]: the weight of a snapshot beside its bytes.

local version, size, listed = unpack(redis.call('HMGET', KEYS[1], 'v', 'n', 'p'))
if not version then
  return redis.status_reply('OK')
end
local log_sizes, freed = new_log_sizes(KEYS[2]), 0
size = parse_optional_count(size, LOG_SIZE) or 0
load_log_sizes(log_sizes, tonumber(ARGV[1]))
for position in string.gmatch(listed or '', '(%d+) %-?%d+,') do
  freed = freed + redis.call('HSTRLEN', KEYS[3], position) + ARGV[2]
end
local _, next = next_version(KEYS[4])
redis.call('SET', KEYS[4], next)
redis.call('DEL', KEYS[3])
redis.call('HDEL', KEYS[1], 'p')
redis.call('HSET', KEYS[1], 'v', next, 'n', to_decimal(math.max(0, size - freed)))
log_sizes.new_events = -freed
write_log_sizes(log_sizes)
return redis.status_reply('OK')
