-- The periods that have entries, newest first. Needs words, period, families.
-- KEYS: the list of periods. ARGV[1]: now; ARGV[2..7]: the prefixes of the periods' keys.
-- Answers for each: id, bounds, visible entries, version.

local answer = {}
local prefixes = prefixes_at(2)
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1, 'REV')) do
  local period = period_of(prefixes, id)
  local meta = redis.call('HMGET', period.meta, 'b', 'v', 'x')
  local expired = meta[3] and tonumber(meta[3]) <= tonumber(ARGV[1])
  if meta[1] and not expired and redis.call('HLEN', period.entries) > 0 then
    local size = #answer
    answer[size + 1] = id
    answer[size + 2] = meta[1]
    answer[size + 3] = redis.call('ZCARD', period.visible)
    answer[size + 4] = meta[2]
  end
end
return answer
