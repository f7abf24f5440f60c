-- Changes a tenant's marker. ARGV[3]: the new one. Returns 1 when the shard is as expected.
-- Has to work on a full server, as place_tenant.lua.

if not is_expected() then
  return 0
end
redis.call('SET', KEYS[1], ARGV[3])
return 1
