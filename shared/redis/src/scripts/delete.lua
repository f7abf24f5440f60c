-- Deletes a leaderboard and what belongs to it. Needs words, period, clock, held, log, families, expected, gone.
-- KEYS: the configuration, the tenant's list of leaderboards, count of entries and periods that expire, the leaderboards
-- whose periods are still to be deleted, the list of periods, what the tenant's logs weigh, the log, the two hashes of ids,
-- then all else that is not of one period. ARGV[1]: what must be there, as in put.lua; ARGV[2]: the id; ARGV[3..8]: prefixes.
-- Answers {'ok', 1 when there was one} or {'version', current or ''}.

local current = redis.call('HGET', KEYS[1], 'v') or ''
if not is_expected(current, ARGV[1]) then
  return {'version', current}
elseif current == '' then
  return {'ok', 0}
end
local held = held_at(KEYS[3], KEYS[4])
local ids = next_periods(held, ARGV[2], KEYS[6])
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[5])
release_log(log_at(KEYS[8], KEYS[1], weights_at(KEYS[7])), {KEYS[9], KEYS[10]})
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('UNLINK', KEYS[1], unpack(KEYS, 8))
if not drop_periods(held, ARGV[2], KEYS[6], prefixes_at(3), ids) then
  redis.call('ZADD', KEYS[5], 0, ARGV[2])
end
return {'ok', 1}
