-- Some players' entries, unsorted. Needs words, period, bans, reading.
-- ARGV[2]: who is shown though banned, in whose list all others stand; ARGV[3] and on: pairs of a player and 1 when the caller sees that player though hidden.
-- Answers, after the head, for each entry found: rank, 1 when hidden, order key, attempts and metadata.

local period, refusal = open_reading()
if not period then
  return refusal
end
show_own(period, ARGV[2])
local answer = answer_head(period)
if not period.layout then
  return answer
end
for at = 3, #ARGV, 2 do
  local key, packed = key_of(period, ARGV[at])
  -- Where every rank is taken once, the index that is the rank also tells that the entry is visible.
  local index = key and redis.call(period.ties < SHARED and 'ZRANK' or 'ZSCORE', period.visible, key)
  local hidden = not index
  if key and (not hidden or ARGV[at + 1] == '1') then
    local size = #answer
    local is_rank = index and period.ties < SHARED and not period.shown
    answer[size + 1] = is_rank and index + 1 or list_rank(period, key)
    answer[size + 2] = hidden and 1 or 0
    answer[size + 3] = key
    answer[size + 4] = string.sub(packed, #key - #ARGV[at] + 1)
  end
end
return answer
