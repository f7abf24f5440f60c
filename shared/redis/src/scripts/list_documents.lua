-- Documents of one scope and kind in byte order of their ids. Needs words, documents.
-- KEYS: hash, ids. ARGV[1]: the id after which, or ''; ARGV[2]: how many. Answers id, version and body of each.

local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local answer = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], from, '+', 'BYLEX', 'LIMIT', 0, ARGV[2])) do
  local version, body = open_document(redis.call('HGET', KEYS[1], id))
  if version == '' then
    corrupt('document')
  end
  local size = #answer
  answer[size + 1], answer[size + 2], answer[size + 3] = id, version, body
end
return answer
