-- Lists some claims of a period.
-- KEYS: those of a read. ARGV[2]: the cursor of the scan, which begins with 0.
-- Returns the reply of a refused read; or 1, the next cursor (0 after the last step), then for each claim the player and
-- the claim as it is stored.

local STEP = 100
local period, refusal = open_read()
if not period then
  return refusal
end
local scanned = redis.call('HSCAN', period.meta, ARGV[2], 'MATCH', 'c:*', 'COUNT', STEP)
local reply = {1, scanned[1]}
for at = 1, #scanned[2], 2 do
  reply[#reply + 1] = string.sub(scanned[2][at], 3)
  reply[#reply + 1] = scanned[2][at + 1]
end
return reply
