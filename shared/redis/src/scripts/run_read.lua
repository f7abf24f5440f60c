-- Runs one command that reads.
-- KEYS[1]: its key. ARGV[1]: its name; then its arguments after the key. Returns its reply.

return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))
