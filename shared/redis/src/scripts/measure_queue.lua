-- Returns the number of items in the queue, the id of the oldest ('' for none), and the server's clock in milliseconds.
-- KEYS[1]: the stream.

local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
return {redis.call('XLEN', KEYS[1]), oldest and oldest[1] or '', to_decimal(queue.server_ms())}
