-- Deletes a request that is done, and its result.
-- KEYS: as in queue.lua. ARGV[1]: the id. Returns 1.

local record = redis.call('HGET', KEYS[2], ARGV[1])
if record and string.sub(record, 17, 17) == '1' then
  queue.drop_request(ARGV[1])
end
return {1}
