-- The order keys at fractions of the list. Needs words, period, bans, reading.
-- ARGV[2] and on: thousandths; 0 is the best entry, 1000 the worst.

local period, refusal = open_reading()
if not period then
  return refusal
end
local answer = answer_head(period)
if period.count > 0 then
  for at = 2, #ARGV do
    local index = math.floor((period.count - 1) * tonumber(ARGV[at]) / 1000)
    answer[#answer + 1] = redis.call('ZRANGE', period.visible, index, index)[1]
  end
end
return answer
