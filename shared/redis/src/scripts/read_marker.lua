-- Reads a tenant's marker, and what of the tenant is in the queue.
-- KEYS: the marker, the sizes of the tenant's requests, the stream. Returns the marker ('' for none), the process of the
-- server, the server's clock in microseconds, 1 when the queue has requests of the tenant.

local items = tonumber(redis.call('HGET', KEYS[2], 'items') or 0)
-- The requests of a stream that somebody deleted are lost (enqueue.lua).
local is_queued = items > 0 and redis.call('XLEN', KEYS[3]) > 0
return { redis.call('GET', KEYS[1]) or '', read_process(), to_decimal(now_us()), is_queued and 1 or 0 }
