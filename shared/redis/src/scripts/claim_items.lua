-- Claims items of the queue: first items whose lease has ended, then new ones.
-- KEYS: the stream, the cursor. ARGV[1]: the maximum number of items; [2]: the lease in milliseconds; [3]: after how many
-- bytes of payloads no further item is claimed; [4]: the maximum length of a payload, which is cut.
-- Returns for each item: its id in the stream, how often it was claimed, the tenant and the id of the request (both '' for
-- a message of a backend), the payload.

local limit, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[3])
local reply, items, bytes = {}, 0, 0

local function has_room()
  return items < limit and bytes < max_bytes
end

local function add_item(entry, attempts)
  local found = {}
  for at = 1, #entry[2], 2 do
    found[entry[2][at]] = entry[2][at + 1]
  end
  local is_request = found.request and found.tenant and found.id
  local payload = string.sub(is_request and found.request or found.message or '', 1, tonumber(ARGV[4]))
  items, bytes = items + 1, bytes + #payload
  for _, value in ipairs({ entry[1], tostring(attempts), is_request and found.tenant or '', is_request and found.id or '', payload }) do
    reply[#reply + 1] = value
  end
end

-- Claims items that were claimed before, beginning at the cursor: the server looks at a bounded number of items in a call.
local function reclaim_items()
  local cursor = redis.call('GET', KEYS[2]) or '0-0'
  for _ = 1, limit do
    local claimed = redis.pcall('XAUTOCLAIM', KEYS[1], queue.GROUP, queue.GROUP, ARGV[2], cursor, 'COUNT', 1)
    if queue.create_missing_group(claimed) then
      return
    end
    cursor = claimed[1]
    for _, entry in ipairs(claimed[2]) do
      local pending = redis.call('XPENDING', KEYS[1], queue.GROUP, entry[1], entry[1], 1)
      add_item(entry, pending[1][4])
    end
    if cursor == '0-0' or not has_room() then
      break
    end
  end
  redis.call('SET', KEYS[2], cursor)
end

if redis.call('XLEN', KEYS[1]) == 0 then
  return reply
end
reclaim_items()
while has_room() do
  local read = redis.call('XREADGROUP', 'GROUP', queue.GROUP, queue.GROUP, 'COUNT', 1, 'STREAMS', KEYS[1], '>')
  if not read then
    break
  end
  add_item(read[1][2][1], 1)
end
return reply
