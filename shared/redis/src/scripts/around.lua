-- A window of the list with a player's entry in the middle. Needs words, period, reading.
-- ARGV[2]: the player; ARGV[3]: how many; ARGV[4]: 1 when the caller sees the player though hidden.

local period = open_reading()
if not period then
  return {0}
end
local answer = answer_head(period)
local key = period.layout and key_of(period, ARGV[2])
if not key then
  return answer
end
local limit = tonumber(ARGV[3])
local index = redis.call('ZRANK', period.visible, key)
local total, hidden = period.count, not index
if hidden then
  if ARGV[4] ~= '1' then
    return answer
  end
  index = redis.call('ZLEXCOUNT', period.visible, '-', '(' .. key)
  total = total + 1
end
-- At either end the window shifts instead of shrinking.
local start = math.max(0, math.min(index - math.floor(limit / 2), total - limit))
local stop = math.min(start + limit, total)
local order_keys
if hidden then
  -- The list as if the player stood in it: one fewer comes from the set, and theirs goes between.
  order_keys = {}
  if stop - 1 > start then
    order_keys = redis.call('ZRANGE', period.visible, start, stop - 2)
  end
  table.insert(order_keys, index - start + 1, key)
else
  order_keys = redis.call('ZRANGE', period.visible, start, stop - 1)
end
return answer_window(answer, period, total, start, order_keys)
