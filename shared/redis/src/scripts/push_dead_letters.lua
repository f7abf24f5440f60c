-- Keeps messages that could not be applied. KEYS[4]: the last id; [5]: the ids of the scope (sorted set).
-- ARGV[1]: for how long the same letter is kept once, in milliseconds; [2]: how many a scope keeps; [3]: how many are kept in all;
-- then of each letter its digest, its instant and what the client encoded.

local window = tonumber(ARGV[1])

local function is_kept(digest, instant)
  local id = redis.call('HGET', KEYS[3], digest)
  local letter = id and redis.call('HGET', KEYS[1], id)
  return letter and math.abs(instant - instant_of(letter)) < window
end

local function keep_at_most(most, ids)
  if redis.call('ZCARD', ids) > tonumber(most) then
    delete_letter(redis.call('ZRANGE', ids, 0, 0)[1])
  end
end

for at = 4, #ARGV, 3 do
  local digest, instant = ARGV[at], tonumber(ARGV[at + 1])
  if not is_kept(digest, instant) then
    local id = string.format('%.0f', redis.call('INCR', KEYS[4]))
    redis.call('HSET', KEYS[1], id, pack_letter(digest, instant, KEYS[5], ARGV[at + 2]))
    redis.call('HSET', KEYS[3], digest, id)
    redis.call('ZADD', KEYS[2], id, id)
    redis.call('ZADD', KEYS[5], id, id)
    keep_at_most(ARGV[2], KEYS[5])
    keep_at_most(ARGV[3], KEYS[2])
  end
end
return redis.status_reply('OK')
