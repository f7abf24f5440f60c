-- Adds to counters. KEYS: the counters (hash). ARGV: pairs of a name and what is added.

for at = 1, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1])
end
return {}
