-- Stores a value of dump_key.lua.
-- KEYS: the marker, the key. ARGV[1]: the marker that must be there; [2]: when the key expires; [3]: the value.
-- Returns 1 when the marker was there. So a late copy never replaces what a tenant has written here.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('RESTORE', KEYS[2], ARGV[2], ARGV[3], 'REPLACE', 'ABSTTL')
return 1
