-- Keeps a message that could not be applied.
-- KEYS: the letters (list, newest first), digest -> instant of those kept (hash).
-- ARGV[1]: the letter's digest; [2]: its instant; [3]: the letter; [4]: how many are kept; [5]: for how long
-- the same letter is kept once, in milliseconds.
-- A letter is kept with its digest and its instant (a double) before it. Answers 1 when it was kept.

local digest, now = ARGV[1], tonumber(ARGV[2])
local kept_at = redis.call('HGET', KEYS[2], digest)
if kept_at and now < struct.unpack('>d', kept_at) + tonumber(ARGV[5]) then
  return 0
end
local instant = struct.pack('>d', now)
redis.call('LPUSH', KEYS[1], digest .. instant .. ARGV[3])
redis.call('HSET', KEYS[2], digest, instant)
while redis.call('LLEN', KEYS[1]) > tonumber(ARGV[4]) do
  local oldest = redis.call('RPOP', KEYS[1])
  -- A later letter with the same digest keeps its instant.
  local gone = string.sub(oldest, 1, #digest)
  if redis.call('HGET', KEYS[2], gone) == string.sub(oldest, #digest + 1, #digest + 8) then
    redis.call('HDEL', KEYS[2], gone)
  end
end
return 1
