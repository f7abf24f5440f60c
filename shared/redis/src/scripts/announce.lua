-- Announces a change. Needs clock, publish. KEYS: the counters. ARGV[1]: the channel; [2]: the message. Returns 1 when the
-- server took the message, else 0.

return { publish(KEYS[1], ARGV[1], ARGV[2]) and 1 or 0 }
