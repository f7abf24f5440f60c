-- Deletes a document.
-- KEYS: the hash of documents, their ids. ARGV[1]: the id; [2]: the expected version.
-- Returns {'ok', 1 when the document existed} or {'version', current version or ''}.

local current = unpack_document(redis.call('HGET', KEYS[1], ARGV[1]))
if not is_expected(current, ARGV[2]) then
  return {'version', current}
end
redis.call('ZREM', KEYS[2], ARGV[1])
return {'ok', redis.call('HDEL', KEYS[1], ARGV[1])}
