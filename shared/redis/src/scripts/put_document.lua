-- Creates or replaces a document.
-- KEYS: the hash of documents, their ids, the scope's last version. ARGV[1]: the id; [2]: the expected version; [3]:
-- the body; [4]: '1' when the server is out of memory, so that the new body must not be longer than the old body.
-- Returns {'ok', version, created}, {'version', current version or ''}, or {'full'} when the new body would be
-- longer.

local stored = redis.call('HGET', KEYS[1], ARGV[1])
local current, body = unpack_document(stored)
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
local version, text = next_version(KEYS[3])
redis.call('SET', KEYS[3], text)
redis.call('HSET', KEYS[1], ARGV[1], encode_int(version) .. ARGV[3])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return {'ok', text, stored and 0 or 1}
