-- Appends a request to the queue.
-- ARGV: the tenant, the id, the digest, the player ('' for none), the payload; then the maximum of items and of bytes in
-- the queue, of bytes of results, and of results to delete.
-- Returns 'appended', 'known', 'conflict' or 'full'.

local id, digest, payload = ARGV[2], ARGV[3], ARGV[5]
queue.trim_results(tonumber(ARGV[8]), tonumber(ARGV[9]))
local ends = redis.call('ZSCORE', KEYS[3], id)
if ends and tonumber(ends) <= queue.server_ms() then
  queue.drop_request(id)
end
local sizes = redis.call('HMGET', KEYS[4], 'items', 'bytes')
local items, bytes = tonumber(sizes[1] or 0), tonumber(sizes[2] or 0)
if items > 0 and redis.call('XLEN', KEYS[1]) == 0 then
  -- Somebody deleted the stream or trimmed it. Its requests are lost, and can be sent again.
  for _, lost in ipairs(redis.call('HKEYS', KEYS[2])) do
    if not redis.call('ZSCORE', KEYS[3], lost) then
      redis.call('HDEL', KEYS[2], lost)
    end
  end
  redis.call('DEL', KEYS[5])
  items, bytes = 0, 0
  redis.call('HSET', KEYS[4], 'items', 0, 'bytes', 0)
end
local known = redis.call('HGET', KEYS[2], id)
if known then
  return { string.sub(known, 1, 16) == digest and 'known' or 'conflict' }
end
if items >= tonumber(ARGV[6]) or bytes + #payload > tonumber(ARGV[7]) then
  return { 'full' }
end
local name = redis.call('XADD', KEYS[1], '*', 'tenant', ARGV[1], 'id', id, 'request', payload)
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[5], 0, queue.pending_member(ARGV[4], id, name))
end
redis.call('HSET', KEYS[2], id, queue.pack_request(digest, '0', ARGV[4], ''))
redis.call('HSET', KEYS[4], 'items', items + 1, 'bytes', string.format('%.0f', bytes + #payload))
for at = 2, 5 do
  redis.call('PERSIST', KEYS[at])
end
return { 'appended' }
