-- A page of the list. Needs words, period, bans, reading.
-- ARGV[2]: 'top', 'after' or 'before'; ARGV[3]: the order key, of whole words, it begins after or ends before;
-- ARGV[4]: how many; ARGV[5]: who is shown though banned.

local period, refusal = open_reading()
if not period then
  return refusal
end
show_own(period, ARGV[5])
local answer = answer_head(period)
if not period.layout then
  return answer
end
local limit, bound = tonumber(ARGV[4]), nil
if ARGV[2] ~= 'top' then
  local words = 8 * (period.columns + 1)
  if #ARGV[3] <= words then
    -- Of another order: nothing follows it, and the answer's layout tells why.
    return answer_window(answer, period, 0, {})
  end
  bound = narrow(string.sub(ARGV[3], 1, words)) .. string.sub(ARGV[3], words + 1)
end
local start, stop = 0, limit
if ARGV[2] == 'after' then
  start = count_before(period, bound, true)
  stop = start + limit
elseif ARGV[2] == 'before' then
  stop = count_before(period, bound, false)
  start = math.max(0, stop - limit)
end
return answer_window(answer, period, start, keys_between(period, start, stop))
