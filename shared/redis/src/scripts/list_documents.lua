-- Lists documents of one scope and kind in byte order of their ids.
-- KEYS: the hash of documents, their ids. ARGV[1]: the id after which the list begins, or ''; [2]: the maximum number
-- of documents. Returns id, version and body of each document.

local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local reply = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], from, '+', 'BYLEX', 'LIMIT', 0, ARGV[2])) do
  local version, body = unpack_document(redis.call('HGET', KEYS[1], id))
  if version == '' then
    corrupt('document')
  end
  local size = #reply
  reply[size + 1], reply[size + 2], reply[size + 3] = id, version, body
end
return reply
