-- Reads the order keys at fractions of the list.
-- ARGV[2] and on: thousandths; 0 is the best entry, 1000 the worst entry.

local period, refusal = open_read()
if not period then
  return refusal
end
local reply = start_reply(period)
if period.count > 0 then
  for at = 2, #ARGV do
    local index = math.floor((period.count - 1) * tonumber(ARGV[at]) / 1000)
    reply[#reply + 1] = redis.call('ZRANGE', period.visible, index, index)[1]
  end
end
return reply
