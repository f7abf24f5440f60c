-- Changes a tenant's marker.
-- KEYS: the marker. ARGV[1]: the marker that must be there ('' for none); [2]: the new one. Returns 1 when it was there.
-- Has to work on a full server, as place_tenant.lua.

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
