-- Announces a change.
-- KEYS: the counters. ARGV[1]: the channel; [2]: the message.
-- Returns 1 when the server accepted the message, otherwise 0.

return { publish_message(KEYS[1], ARGV[1], ARGV[2]) and 1 or 0 }
