-- Deletes a leaderboard and all that belongs to it. Needs words, period, clock, held, families, expected.
-- KEYS: the configuration, the tenant's list of leaderboards, count of entries and periods that expire, the list of
-- periods, then all else that is not of one period. ARGV[1]: what must be there, as in put.lua; ARGV[2]: the id; ARGV[3..8]: prefixes.
-- Answers {'ok', 1 when there was one} or {'version', current or ''}.

local current = redis.call('HGET', KEYS[1], 'v') or ''
if not is_expected(current, ARGV[1]) then
  return {'version', current}
end
local prefixes = prefixes_at(3)
local held = held_at(KEYS[3], KEYS[4])
open_held(held)
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
  local period, keys = period_of(prefixes, id)
  drop_held(held, ARGV[2] .. ':' .. id, redis.call('HLEN', period.entries))
  redis.call('UNLINK', unpack(keys))
end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('UNLINK', KEYS[1], unpack(KEYS, 5))
return {'ok', current ~= '' and 1 or 0}
