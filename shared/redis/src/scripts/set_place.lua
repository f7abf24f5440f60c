-- Stores in the directory where a tenant lives. KEYS: the directory. ARGV: the tenant, the number of the shard.

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {}
