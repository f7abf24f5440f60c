-- Serializes a key. Returns the value ('' when the key does not exist) and when it expires in milliseconds ('0': never).

local expires_at = redis.call('PEXPIRETIME', KEYS[1])
return { redis.call('DUMP', KEYS[1]) or '', string.format('%.0f', math.max(expires_at, 0)) }
