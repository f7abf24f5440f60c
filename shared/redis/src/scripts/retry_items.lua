-- Lets items be claimed again after a wait. ARGV[1]: the wait in milliseconds; [2]: the lease; then the ids of the items.
-- An item is due a lease after its last delivery, so the delivery is dated back.

local delivered_at = string.format('%.0f', queue.server_ms() + tonumber(ARGV[1]) - tonumber(ARGV[2]))
for at = 3, #ARGV do
  redis.call('XCLAIM', KEYS[1], queue.GROUP, queue.GROUP, 0, ARGV[at], 'TIME', delivered_at, 'JUSTID')
end
return redis.status_reply('OK')
