-- Some players' entries, unsorted. Needs words, period, reading.
-- ARGV[2] and on: pairs of a player and 1 when the caller sees that player though hidden.
-- Answers, after the head, for each entry found: rank, 1 when hidden, order key, attempts and metadata.

local period = open_reading()
if not period then
  return {0}
end
local answer = answer_head(period)
if not period.layout then
  return answer
end
for at = 2, #ARGV, 2 do
  local key, packed = key_of(period, ARGV[at])
  -- Where every rank is taken once, the index that is the rank also tells that the entry is visible.
  local index = key and redis.call(period.ties < SHARED and 'ZRANK' or 'ZSCORE', period.visible, key)
  local hidden = not index
  if key and (not hidden or ARGV[at + 1] == '1') then
    local size = #answer
    answer[size + 1] = index and period.ties < SHARED and index + 1 or rank_of(period, key)
    answer[size + 2] = hidden and 1 or 0
    answer[size + 3] = key
    answer[size + 4] = string.sub(packed, #key - #ARGV[at] + 1)
  end
end
return answer
