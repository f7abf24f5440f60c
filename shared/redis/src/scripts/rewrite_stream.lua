-- Copies some entries of a stream into its copy, some with another last value. When the copy has all entries, it
-- replaces the stream. Redis cannot change an entry in place, and the bytes of a deleted entry stay in memory as long as
-- its neighbours.
-- KEYS: the stream, the copy, the turn; for a log also the configuration, the tenant's log sizes, and the two hashes of
-- idempotency records.
-- The turn is a hash: `name` of the rewriting, and by how many bytes it changes the stream, `d`. A tenant has one
-- rewriting at a time; the turn and the copy expire when nobody continues.
-- ARGV[1]: the name of the rewriting; [2]: the part of the name that all rewritings of one erasure share; [3]: for how
-- many milliseconds an unfinished copy is kept; [4]: the position after which to copy; [5]: the position of the last
-- entry to copy; [6]: the number of entries to replace; then position and value of each; then for each idempotency
-- record: its possible names, the more exact one first, and its instant.
-- Returns 0 when it is another rewriting's turn, or another call has done this step; 1 when entries follow; 2 when the
-- copy has replaced the stream.

local stream, copy, turn = KEYS[1], KEYS[2], KEYS[3]
local name, after, last = ARGV[1], ARGV[4], ARGV[5]

-- Deletes an idempotency record under one of its names. A record of another submission has another instant.
local function delete_record(names, instant)
  for _, id in ipairs(names) do
    for at = 6, 7 do
      local record = redis.call('HGET', KEYS[at], id)
      if record and #record >= 8 and struct.unpack('>d', record) == instant then
        redis.call('HDEL', KEYS[at], id)
        return
      end
    end
  end
end

local holder = redis.call('HGET', turn, 'name')
if holder and holder ~= name then
  if string.sub(holder, 1, #ARGV[2]) ~= ARGV[2] then
    return {0}
  end
  redis.call('UNLINK', turn, copy)
elseif not holder then
  redis.call('UNLINK', copy)
end
if newest_position(copy) ~= after then
  return {0}
end
local log = KEYS[4] and load_log(new_log(stream, KEYS[4], new_log_sizes(KEYS[5])))
local change = parse_optional_integer(redis.call('HGET', turn, 'd'), 'size of a copy') or 0
local replaced, at = {}, 7
for _ = 1, tonumber(ARGV[6]) do
  replaced[ARGV[at]] = ARGV[at + 1]
  at = at + 2
end
while ARGV[at] do
  delete_record({ARGV[at], ARGV[at + 1]}, tonumber(ARGV[at + 2]))
  at = at + 3
end
for _, entry in ipairs(redis.call('XRANGE', stream, '(0-' .. after, '0-' .. last)) do
  local position, values = string.sub(entry[1], 3), entry[2]
  if replaced[position] then
    if log and tonumber(position) >= (log.counted_from or 0) then
      change = change + #replaced[position] - #values[#values]
    end
    values[#values] = replaced[position]
  end
  redis.call('XADD', copy, entry[1], unpack(values))
end
if newest_position(stream) ~= last then
  redis.call('HSET', turn, 'name', name, 'd', to_decimal(change))
  redis.call('PEXPIRE', turn, ARGV[3])
  redis.call('PEXPIRE', copy, ARGV[3])
  return {1}
end
-- The log may have been trimmed since.
redis.call('XTRIM', copy, 'MINID', redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1][1])
redis.call('PERSIST', copy)
redis.call('UNLINK', stream, turn)
redis.call('RENAME', copy, stream)
if log then
  log.bytes = math.max(0, log.bytes + change)
  redis.call('HSET', KEYS[4], 'n', to_decimal(log.bytes))
  log.log_sizes.new_events = change
  write_log_sizes(log.log_sizes)
end
return {2}
