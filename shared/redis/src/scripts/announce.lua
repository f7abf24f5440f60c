-- Announces a change. Needs clock, publish. KEYS: the counters. ARGV[1]: the channel; [2]: the message.

publish(KEYS[1], ARGV[1], ARGV[2])
return {}
