-- Where tuples would stand. Needs words, period, bans, reading.
-- ARGV[2] and on: tuples of whole words, of as many columns as the layout has or fewer.
-- Answers, after the head, for each: better entries, equal ones, different better tuples.

local period, refusal = open_reading()
if not period then
  return refusal
end
local answer = answer_head(period)
for at = 2, #ARGV do
  local tuple = narrow(ARGV[at])
  -- The first bytes after all that begin with the tuple: its last byte raised, after those that cannot be.
  local head, last = string.match(tuple, '^(.-)([^\255])\255*$')
  local past = head .. string.char(string.byte(last) + 1)
  local better = redis.call('ZLEXCOUNT', period.visible, '-', '(' .. tuple)
  local tuples = better
  if period.ties == DENSE then
    tuples = redis.call('ZLEXCOUNT', period.tuples, '-', '(' .. tuple)
  end
  local size = #answer
  answer[size + 1] = better
  answer[size + 2] = redis.call('ZLEXCOUNT', period.visible, '[' .. tuple, '(' .. past)
  answer[size + 3] = tuples
end
return answer
