-- Lets items be claimed again after a wait. KEYS: the stream, the cursor. ARGV[1]: the wait in milliseconds; [2]: the
-- lease; then for each item: its id in the stream, the number of its attempts.
-- An item is due a lease after its last delivery, so the delivery is dated back.

local delivered_at = string.format('%.0f', queue.server_ms() + tonumber(ARGV[1]) - tonumber(ARGV[2]))
for at = 3, #ARGV, 2 do
  redis.call(
    'XCLAIM', KEYS[1], queue.GROUP, queue.GROUP, 0, ARGV[at], 'TIME', delivered_at, 'RETRYCOUNT', ARGV[at + 1], 'JUSTID')
end
if ARGV[1] == '0' then
  -- The next claim begins with the oldest item, so that these come before newer ones.
  redis.call('DEL', KEYS[2])
end
return redis.status_reply('OK')
