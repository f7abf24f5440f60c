-- Stores where a tenant lives, unless this shard knows it. KEYS[1]: the marker. ARGV[1]: the number of the shard.
-- Has to work on a full server, as place_tenant.lua.

redis.call('SET', KEYS[1], ARGV[1], 'NX')
return {}
