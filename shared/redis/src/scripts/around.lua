-- A window of the list with a player's entry in the middle. Needs words, period, bans, reading.
-- ARGV[2]: the player; ARGV[3]: how many; ARGV[4]: who is shown though banned.

local period, refusal = open_reading()
if not period then
  return refusal
end
show_own(period, ARGV[4])
local answer = answer_head(period)
local key = period.layout and key_of(period, ARGV[2])
if not key or (key ~= period.shown and not redis.call('ZRANK', period.visible, key)) then
  return answer
end
local limit, index = tonumber(ARGV[3]), count_before(period, key, false)
-- At either end the window shifts instead of shrinking.
local start = math.max(0, math.min(index - math.floor(limit / 2), period.count - limit))
return answer_window(answer, period, start, keys_between(period, start, start + limit))
