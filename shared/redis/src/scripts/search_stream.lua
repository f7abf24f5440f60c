-- Looks through a stream for entries whose last value contains a text.
-- KEYS: the stream, the copy that replaces it, the turn (see rewrite_stream.lua). ARGV[1]: the name of the rewriting;
-- [2]: the position after which to look, when there is no copy yet; [3]: the maximum number of entries to look at; [4]:
-- the same while there is a copy; [5]: the position of the last entry to look at; [6]: the text.
-- Returns the position after which the script looked, the position of the last entry at which it looked, 1 when there is
-- a copy, 1 when no entry follows; then position and value of each entry found.

local after, limit, has_copy = ARGV[2], ARGV[3], false
if redis.call('HGET', KEYS[3], 'name') == ARGV[1] then
  local copied = newest_position(KEYS[2])
  if copied ~= '0' then
    after, limit, has_copy = copied, ARGV[4], true
  end
end
local looked = redis.call('XRANGE', KEYS[1], '(0-' .. after, '+', 'COUNT', limit)
local last, found = after, {}
local ended = #looked < tonumber(limit)
for _, entry in ipairs(looked) do
  local position, values = string.sub(entry[1], 3), entry[2]
  if tonumber(position) <= tonumber(ARGV[5]) and string.find(values[#values], ARGV[6], 1, true) then
    found[#found + 1] = position
    found[#found + 1] = values[#values]
  end
  last = position
  -- Lua can return a few thousand values.
  if #found >= 2000 then
    ended = false
    break
  end
end
return {after, last, has_copy and 1 or 0, ended and 1 or 0, unpack(found)}
