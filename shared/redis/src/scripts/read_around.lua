-- Reads a window of the list with a player's entry in the middle.
-- ARGV[2]: the player; [3]: the maximum number of entries; [4]: the player whose banned entry is listed ('' for
-- none).

local period, refusal = open_read()
if not period then
  return refusal
end
show_own_entry(period, ARGV[4])
local reply = start_reply(period)
local key = period.layout and find_order_key(period, ARGV[2])
if not key or (key ~= period.shown and not redis.call('ZRANK', period.visible, key)) then
  return reply
end
local limit, index = tonumber(ARGV[3]), count_entries_before(period, key, false)
-- At either end of the list, the window shifts and keeps its size.
local start = math.max(0, math.min(index - math.floor(limit / 2), period.count - limit))
return add_window(reply, period, start, read_order_keys(period, start, start + limit))
