-- Deletes a document. Needs words, expected, documents.
-- KEYS: hash, ids. ARGV[1]: the id; [2]: what must be there.
-- Answers {'ok', 1 when there was one} or {'version', current or ''}.

local current = open_document(redis.call('HGET', KEYS[1], ARGV[1]))
if not is_expected(current, ARGV[2]) then
  return {'version', current}
end
redis.call('ZREM', KEYS[2], ARGV[1])
return {'ok', redis.call('HDEL', KEYS[1], ARGV[1])}
