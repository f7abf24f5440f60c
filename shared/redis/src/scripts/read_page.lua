-- Reads a page of the list.
-- ARGV[2]: 'top', 'after' or 'before'; [3]: the order key, of wide integers, after which the page begins or before
-- which it ends; [4]: the maximum number of entries; [5]: the player whose banned entry is listed ('' for none).

local period, refusal = open_read()
if not period then
  return refusal
end
show_own_entry(period, ARGV[5])
local reply = start_reply(period)
if not period.layout then
  return reply
end
local limit, bound = tonumber(ARGV[4]), nil
if ARGV[2] ~= 'top' then
  local bytes = 8 * (period.columns + 1)
  if #ARGV[3] <= bytes then
    -- The order key belongs to another layout, so no entry follows it. The caller sees the layout in the reply.
    return add_window(reply, period, 0, {})
  end
  bound = narrow(string.sub(ARGV[3], 1, bytes)) .. string.sub(ARGV[3], bytes + 1)
end
local start, stop = 0, limit
if ARGV[2] == 'after' then
  start = count_entries_before(period, bound, true)
  stop = start + limit
elseif ARGV[2] == 'before' then
  stop = count_entries_before(period, bound, false)
  start = math.max(0, stop - limit)
end
return add_window(reply, period, start, read_order_keys(period, start, stop))
