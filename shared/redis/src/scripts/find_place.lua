-- Looks where a tenant lives.
-- KEYS[1]: the directory; then keys of the tenant of which one exists on this shard if the tenant has data from before
-- there were shards. ARGV[1]: the tenant. Returns the number of the shard, 0 if the tenant lives nowhere.

local place = redis.call('HGET', KEYS[1], ARGV[1])
return { place or (redis.call('EXISTS', unpack(KEYS, 2)) > 0 and '1' or '0') }
