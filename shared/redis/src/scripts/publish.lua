-- Announcements. A failed announcement does not fail the write that it announces. Needs clock.lua.

-- Publishes a message. If the server refuses it (the Redis user has no permission for the channel), counts the
-- failure and stores its time in the installation's counters. `counters` is their key; core's ports define the names.
-- Returns whether the server accepted the message.
local function publish_message(counters, channel, message)
  local reply = redis.pcall('PUBLISH', channel, message)
  if type(reply) == 'table' and reply.err then
    redis.pcall('HINCRBY', counters, 'edgeboard_announcements_failed_total', 1)
    redis.pcall('HSET', counters, 'edgeboard_announcement_failed_timestamp_seconds',
      string.format('%.0f', math.floor(now_us() / 1000000)))
    return false
  end
  return true
end
