-- Where tuples would stand. Needs words, period, reading.
-- ARGV[2] and on: pairs of a tuple and the first bytes after all that begin with it ('' when there are none).
-- Answers, after the head, for each: better entries, equal ones, different better tuples.

local period = open_reading()
if not period then
  return {0}
end
local answer = answer_head(period)
for at = 2, #ARGV, 2 do
  local past = ARGV[at + 1] == '' and '+' or '(' .. ARGV[at + 1]
  local better = redis.call('ZLEXCOUNT', period.visible, '-', '(' .. ARGV[at])
  local tuples = better
  if period.ties == DENSE then
    tuples = redis.call('ZLEXCOUNT', period.tuples, '-', '(' .. ARGV[at])
  end
  local size = #answer
  answer[size + 1] = better
  answer[size + 2] = redis.call('ZLEXCOUNT', period.visible, '[' .. ARGV[at], past)
  answer[size + 3] = tuples
end
return answer
