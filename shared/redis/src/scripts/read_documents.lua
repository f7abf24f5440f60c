-- Reads documents by their names.
-- KEYS: the hash of each document. ARGV: the id of each document. Returns version ('' for a missing document) and
-- body of each.

local reply = {}
for at, id in ipairs(ARGV) do
  local version, body = unpack_document(redis.call('HGET', KEYS[at], id))
  reply[2 * at - 1], reply[2 * at] = version, body
end
return reply
