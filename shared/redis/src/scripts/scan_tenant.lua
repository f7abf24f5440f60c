-- Lists some keys of a tenant who is being moved.
-- KEYS[2]: on the first shard, the ids of the tenant's dead letters, which stay. ARGV[3]: the cursor; [4]: the pattern of
-- the tenant's keys; [5]: at about how many keys of the server the script looks.
-- Returns the next cursor ('' when the shard is not as expected) and the keys.

if not is_expected() then
  return { '' }
end
local scanned = redis.call('SCAN', ARGV[3], 'MATCH', ARGV[4], 'COUNT', ARGV[5])
local reply = { scanned[1] }
for _, key in ipairs(scanned[2]) do
  if key ~= KEYS[1] and key ~= KEYS[2] then
    reply[#reply + 1] = key
  end
end
return reply
