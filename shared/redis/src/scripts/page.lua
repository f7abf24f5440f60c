-- A page of the visible entries. Needs words, period, reading.
-- ARGV[2]: 'top', 'after' or 'before'; ARGV[3]: the order key, of whole words, it begins after or ends before;
-- ARGV[4]: how many.

local period = open_reading()
if not period then
  return {0}
end
local answer = answer_head(period)
if not period.layout then
  return answer
end
local limit, bound = tonumber(ARGV[4]), nil
if ARGV[2] ~= 'top' then
  local words = 8 * (period.columns + 1)
  if #ARGV[3] <= words then
    -- Of another order: nothing follows it, and the answer's layout tells why.
    return answer_window(answer, period, period.count, 0, {})
  end
  bound = narrow(string.sub(ARGV[3], 1, words)) .. string.sub(ARGV[3], words + 1)
end
local start, stop = 0, limit
if ARGV[2] == 'after' then
  start = redis.call('ZLEXCOUNT', period.visible, '-', '[' .. bound)
  stop = start + limit
elseif ARGV[2] == 'before' then
  stop = redis.call('ZLEXCOUNT', period.visible, '-', '(' .. bound)
  start = math.max(0, stop - limit)
end
local order_keys = {}
if stop > start then
  order_keys = redis.call('ZRANGE', period.visible, start, stop - 1)
end
return answer_window(answer, period, period.count, start, order_keys)
