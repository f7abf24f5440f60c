-- Deletes keys of a tenant who does not live on this shard. KEYS[1]: the marker; then the keys. ARGV[1]: the marker that must be
-- there. Returns 1 when it was there.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for at = 2, #KEYS do
  redis.call('UNLINK', KEYS[at])
end
return 1
