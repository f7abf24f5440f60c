-- Stores dead letters.
-- KEYS[4]: the last id; [5]: the ids of the scope (sorted set). ARGV[1]: for how many milliseconds an equal letter is
-- stored only once; [2]: the maximum number of letters of a scope; [3]: the maximum number of all letters; then for
-- each letter: digest, instant, encoded letter.

local window = tonumber(ARGV[1])

local function is_recent(digest, instant)
  local id = redis.call('HGET', KEYS[3], digest)
  local letter = id and redis.call('HGET', KEYS[1], id)
  return letter and math.abs(instant - read_instant(letter)) < window
end

local function drop_oldest_above(most, ids)
  if redis.call('ZCARD', ids) > tonumber(most) then
    delete_letter(redis.call('ZRANGE', ids, 0, 0)[1])
  end
end

for at = 4, #ARGV, 3 do
  local digest, instant = ARGV[at], tonumber(ARGV[at + 1])
  if not is_recent(digest, instant) then
    local id = string.format('%.0f', redis.call('INCR', KEYS[4]))
    redis.call('HSET', KEYS[1], id, pack_letter(digest, instant, KEYS[5], ARGV[at + 2]))
    redis.call('HSET', KEYS[3], digest, id)
    redis.call('ZADD', KEYS[2], id, id)
    redis.call('ZADD', KEYS[5], id, id)
    drop_oldest_above(ARGV[2], KEYS[5])
    drop_oldest_above(ARGV[3], KEYS[2])
  end
end
return redis.status_reply('OK')
