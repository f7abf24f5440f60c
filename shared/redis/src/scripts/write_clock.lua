-- Stores the time of the server's clock in milliseconds, so that a reader of a replica knows how far the replica has come.
-- KEYS: the clock.

redis.call('SET', KEYS[1], string.format('%.0f', math.floor(now_us() / 1000)))
return {}
