-- Adds to counters.
-- KEYS: the counters (hash). ARGV: pairs of a name and the number to add.

local names = {}
for at = 1, #ARGV, 2 do
  names[#names + 1] = ARGV[at]
end
if #names == 0 then
  return {}
end
for _, count in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
  parse_optional_count(count, 'counter')
end
for at = 1, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1])
end
return {}
