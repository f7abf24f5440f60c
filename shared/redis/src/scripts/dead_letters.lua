-- Dead letters. KEYS[1]: the letters (hash, id -> letter); [2]: their ids (sorted set); [3]: digest -> id (hash).
--
-- A letter is a head and the bytes that the client encoded. The head: its own length (two bytes), the letter's digest
-- (20 bytes), the letter's instant (a double), the key that holds the ids of its scope.

local HEAD = '>I2c20d'

local function pack_letter(digest, instant, scope, encoded)
  local length = struct.size(HEAD) + #scope
  return struct.pack(HEAD, length, digest, instant) .. scope .. encoded
end

local function read_instant(letter)
  local _, _, instant = struct.unpack(HEAD, letter)
  return instant
end

-- Deletes a letter. Returns whether the letter existed.
local function delete_letter(id)
  redis.call('ZREM', KEYS[2], id)
  local letter = redis.call('HGET', KEYS[1], id)
  if not letter then
    return false
  end
  local length, digest = struct.unpack(HEAD, letter)
  redis.call('ZREM', string.sub(letter, struct.size(HEAD) + 1, length), id)
  redis.call('HDEL', KEYS[1], id)
  -- A later letter with the same digest keeps the digest.
  if redis.call('HGET', KEYS[3], digest) == id then
    redis.call('HDEL', KEYS[3], digest)
  end
  return true
end
