-- Begins an import. The import's hash is what the hash of the configuration will be, with the version 0, and three
-- more fields: `id`, the leaderboard; `state`, how far the import is; `at`, the instant of its last step.
-- KEYS: the import, the configuration, the tenant's list of leaderboards, the entry counts, the periods that expire, the
-- deleted leaderboards that still have periods, the list of periods, the state of the tenant's bans.
-- ARGV[1]: the leaderboard's id; [2]: the bytes of the configuration; [3]: the state; [4], [5]: how many events the log
-- keeps and for how many milliseconds; [6]: the tenant's maximum number of leaderboards ('' for no maximum); [7]: now;
-- [8..13]: the prefixes of the period keys.
-- Returns {'ok'}, {'under way', the leaderboard of the other import}, {'exists'}, {'full'}, or {'unfinished'} when an
-- earlier leaderboard with this id still has periods, of which this call has deleted some.

local under_way = redis.call('HGET', KEYS[1], 'id')
if under_way then
  return {'under way', under_way}
elseif redis.call('HEXISTS', KEYS[2], 'v') == 1 then
  return {'exists'}
end
local entry_counts = new_entry_counts(KEYS[4], KEYS[5])
load_entry_counts(entry_counts)
local leaderboards, max_leaderboards = redis.call('ZCARD', KEYS[3]), tonumber(ARGV[6])
if max_leaderboards and leaderboards >= max_leaderboards then
  return {'full'}
end
if not continue_deletion(entry_counts, KEYS[6], ARGV[1], KEYS[7], read_key_prefixes(8)) then
  return {'unfinished'}
end
start_entry_counts(entry_counts, leaderboards == 0)
-- Changes of bans that began earlier do not concern the leaderboard.
local last_change = redis.call('HGET', KEYS[8], 'n') or '0'
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'state', ARGV[3], 'at', ARGV[7], 'b', ARGV[2], 'v', '0', 'k', ARGV[4],
  'd', ARGV[5], 's', last_change)
return {'ok'}
