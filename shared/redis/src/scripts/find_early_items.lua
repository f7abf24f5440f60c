-- Looks for an early item of a tenant, or of none, which a backend appended.
-- KEYS[1]: the stream. ARGV[1]: the tenant; [2]: the milliseconds in the id of the latest early item; [3]: the id in the
-- stream after which to look ('' for the first item); [4]: how many items one command reads; [5], [6]: after how many items
-- and bytes of payloads the search ends.
-- Returns whether an item was found (1 or 0), the id in the stream of the last item before it, or of the last one looked at
-- ('' for none), and whether all early items were looked at (1 or 0).

local items, bytes, last = 0, 0, ARGV[3]
while items < tonumber(ARGV[5]) and bytes < tonumber(ARGV[6]) do
  local found = redis.call('XRANGE', KEYS[1], last == '' and '-' or '(' .. last, ARGV[2], 'COUNT', ARGV[4])
  for _, entry in ipairs(found) do
    local fields = {}
    for at = 1, #entry[2], 2 do
      fields[entry[2][at]] = entry[2][at + 1]
      bytes = bytes + #entry[2][at + 1]
    end
    if not (fields.request and fields.id) or not fields.tenant or fields.tenant == ARGV[1] then
      return {1, last, 0}
    end
    last = entry[1]
  end
  items = items + #found
  if #found < tonumber(ARGV[4]) then
    return {0, last, 1}
  end
end
return {0, last, 0}
