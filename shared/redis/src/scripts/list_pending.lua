-- Returns the requests of a player that are in the queue, up to a number of requests and of bytes.
-- KEYS: as in queue.lua. ARGV[1]: the player; [2]: the maximum number of requests; [3]: after how many bytes of payloads
-- no further request is returned.
-- Returns for each request, oldest first: its id, the id of its item in the stream, the payload.

local begin, reply, bytes = ARGV[1] .. '\1', {}, 0
local members = redis.call('ZRANGE', KEYS[5], '[' .. begin, '(' .. ARGV[1] .. '\2', 'BYLEX', 'LIMIT', 0, ARGV[2])
for _, member in ipairs(members) do
  local item, id = string.match(string.sub(member, #begin + 1), '^(%d+-%d+)\1(.*)$')
  local entry = item and redis.call('XRANGE', KEYS[1], item, item)[1]
  if entry and bytes < tonumber(ARGV[3]) then
    local payload = entry[2][6] or ''
    bytes = bytes + #payload
    for _, value in ipairs({id, entry[1], payload}) do
      reply[#reply + 1] = value
    end
  end
end
return reply
