-- Documents by their names. Needs words, documents.
-- KEYS: the hash of each. ARGV: the id of each. Answers version ('' for no document) and body of each.

local answer = {}
for at, id in ipairs(ARGV) do
  local version, body = open_document(redis.call('HGET', KEYS[at], id))
  answer[2 * at - 1], answer[2 * at] = version, body
end
return answer
