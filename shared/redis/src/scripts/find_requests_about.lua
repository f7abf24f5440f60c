-- Returns some requests of a tenant: those of a player, and those whose result contains the player's name.
-- KEYS: as in queue.lua. ARGV[1]: the cursor, 0 to begin; [2]: about how many requests to look at; [3]: the player.
-- Returns the next cursor (0 at the end), then id and record of each request found.

local scanned = redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', ARGV[2])
local reply, found = {scanned[1]}, scanned[2]
for at = 1, #found, 2 do
  local record = found[at + 1]
  local head = queue.request_head(record)
  if string.sub(record, queue.REQUEST_HEAD + 1, head) == ARGV[3] or string.find(record, ARGV[3], head + 1, true) then
    reply[#reply + 1] = found[at]
    reply[#reply + 1] = record
  end
end
return reply
