-- Reads records of an audit log, newest first.
-- KEYS: the stream of audit events, the stream of refusals and issued tokens. ARGV[1]: the highest id in the syntax of
-- XREVRANGE; [2]: the maximum number of records.
-- Returns id, instant and record of each.

local acts = redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', ARGV[2])
local notices = redis.call('XREVRANGE', KEYS[2], ARGV[1], '-', 'COUNT', ARGV[2])
local reply, act, notice = {}, 1, 1

local function position(record)
  return record and tonumber(string.sub(record[1], 3)) or 0
end

for _ = 1, tonumber(ARGV[2]) do
  local record
  if position(acts[act]) > position(notices[notice]) then
    record, act = acts[act], act + 1
  else
    record, notice = notices[notice], notice + 1
  end
  if not record then
    break
  end
  reply[#reply + 1] = record[1]
  reply[#reply + 1] = record[2][2]
  reply[#reply + 1] = record[2][4]
end
return reply
