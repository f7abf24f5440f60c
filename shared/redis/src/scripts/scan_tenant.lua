-- Lists some keys of a tenant who is being moved.
-- KEYS: the marker, on the first shard also the ids of the tenant's dead letters, which stay. ARGV[1]: the marker that must be there; [2]: the cursor;
-- [3]: the pattern of the tenant's keys; [4]: at about how many keys of the server the script looks.
-- Returns the next cursor ('' when the marker is another) and the keys.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { '' }
end
local scanned = redis.call('SCAN', ARGV[2], 'MATCH', ARGV[3], 'COUNT', ARGV[4])
local reply = { scanned[1] }
for _, key in ipairs(scanned[2]) do
  if key ~= KEYS[1] and key ~= KEYS[2] then
    reply[#reply + 1] = key
  end
end
return reply
