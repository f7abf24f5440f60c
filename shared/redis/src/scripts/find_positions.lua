-- Returns where tuples would rank.
-- ARGV[2] and on: tuples of wide integers, with at most as many columns as the layout.
-- Returns, after the head, for each tuple: the number of better entries, of equal entries, of different better
-- tuples.

local period, refusal = open_read()
if not period then
  return refusal
end
local reply = start_reply(period)
for at = 2, #ARGV do
  local tuple = narrow(ARGV[at])
  -- Computes the first byte string after every string that begins with the tuple: drop trailing 255s, add 1 to the
  -- last byte.
  local head, last = string.match(tuple, '^(.-)([^\255])\255*$')
  local past = head .. string.char(string.byte(last) + 1)
  local better = redis.call('ZLEXCOUNT', period.visible, '-', '(' .. tuple)
  local tuples = better
  if period.ties == DENSE then
    tuples = redis.call('ZLEXCOUNT', period.tuples, '-', '(' .. tuple)
  end
  local size = #reply
  reply[size + 1] = better
  reply[size + 2] = redis.call('ZLEXCOUNT', period.visible, '[' .. tuple, '(' .. past)
  reply[size + 3] = tuples
end
return reply
