-- Removes items from the queue, and stores the results of their requests.
-- ARGV[1]: how long results are kept, in milliseconds; [2]: the maximum of bytes of results; [3]: the maximum of results
-- to delete; then for each item: its id in the stream, the id of the request ('' for a message of a backend), the length
-- of its payload, the result.

for at = 4, #ARGV, 4 do
  local id, result = ARGV[at + 1], ARGV[at + 3]
  redis.call('XACK', KEYS[1], queue.GROUP, ARGV[at])
  -- Another call may have finished the item after its lease ended.
  if redis.call('XDEL', KEYS[1], ARGV[at]) == 1 and id ~= '' then
    redis.call('HINCRBY', KEYS[4], 'items', -1)
    redis.call('HINCRBY', KEYS[4], 'bytes', '-' .. ARGV[at + 2])
    local record = redis.call('HGET', KEYS[2], id)
    if record then
      local player = string.sub(record, queue.REQUEST_HEAD + 1, queue.request_head(record))
      redis.call('ZREM', KEYS[5], queue.pending_member(player, id, ARGV[at]))
      redis.call('HSET', KEYS[2], id, queue.pack_request(string.sub(record, 1, 16), '1', player, result))
      redis.call('HINCRBY', KEYS[4], 'results', #result)
      redis.call('ZADD', KEYS[3], string.format('%.0f', queue.server_ms() + tonumber(ARGV[1])), id)
    end
  end
end
if KEYS[2] then
  queue.trim_results(tonumber(ARGV[2]), tonumber(ARGV[3]))
  if tonumber(redis.call('HGET', KEYS[4], 'items') or 0) == 0 then
    for at = 2, 5 do
      redis.call('PEXPIRE', KEYS[at], ARGV[1])
    end
  end
end
return redis.status_reply('OK')
