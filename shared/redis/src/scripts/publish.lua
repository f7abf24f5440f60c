-- Announcements, which never fail what they announce. Needs clock.

-- Publishes a message. When the server refuses that (a user without permission on the channel), it counts the failure
-- and its time among the installation's counters. `counters` is their key; the names are those in core's ports. Returns whether
-- the server took it.
local function publish(counters, channel, message)
  local reply = redis.pcall('PUBLISH', channel, message)
  if type(reply) == 'table' and reply.err then
    redis.pcall('HINCRBY', counters, 'edgeboard_announcements_failed_total', 1)
    redis.pcall('HSET', counters, 'edgeboard_announcement_failed_timestamp_seconds',
      string.format('%.0f', math.floor(now_us() / 1000000)))
    return false
  end
  return true
end
