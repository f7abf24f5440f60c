-- Creates or replaces a document. Needs words, clock, versions, expected, documents.
-- KEYS: hash, ids, the scope's last version. ARGV[1]: the id; [2]: what must be there; [3]: the body; [4]: '1' when the server
-- is out of memory, and the document must not be longer than it was.
-- Answers {'ok', version, created}, {'version', current or ''}, or {'full'} when it would be longer.

local stored = redis.call('HGET', KEYS[1], ARGV[1])
local current, body = open_document(stored)
if not is_expected(current, ARGV[2]) then
  return {'version', current}
end
if stored and body == ARGV[3] then
  return {'ok', current, 0}
end
if ARGV[4] == '1' and not (stored and #ARGV[3] <= #body) then
  return {'full'}
end
redis.call('ZCARD', KEYS[2])
local version, text = version_after(KEYS[3])
redis.call('SET', KEYS[3], text)
redis.call('HSET', KEYS[1], ARGV[1], word(version) .. ARGV[3])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return {'ok', text, stored and 0 or 1}
