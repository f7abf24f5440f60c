-- Returns the claims of players. ARGV[2] and on: the players.
-- Returns the reply of a refused read; or 1, then the claim of each player ('' for none).

local period, refusal = open_read()
if not period then
  return refusal
end
local fields = {}
for at = 2, #ARGV do
  fields[at - 1] = 'c:' .. ARGV[at]
end
local reply = {1}
for at, claim in ipairs(#fields > 0 and redis.call('HMGET', period.meta, unpack(fields)) or {}) do
  reply[at + 1] = claim or ''
end
return reply
