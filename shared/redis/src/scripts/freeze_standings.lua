-- Makes the standings of a period final, unless they are.
-- KEYS: those of a read, then the list of periods, the entry counts, the periods that expire.
-- ARGV[2]: now; [3]: the layout's bytes for a period that has never had an entry; [4]: its id; [5]: its bounds; [6]: its
-- start; [7]: its expiry ('' for none); [8]: the prefix of the meta; [9]: the period's name in the entry counts.
-- Returns the reply of a refused read; or {1, the freeze as in standings.lua, how often the standings were reopened}.

local period, refusal = open_read()
if not period then
  return refusal
end
if not period.freeze then
  local count = redis.call('ZCARD', period.visible)
  if not period.layout then
    set_layout(period, ARGV[3])
    redis.call('ZCARD', KEYS[9])
    create_period({entry_counts = new_entry_counts(KEYS[10], KEYS[11])}, {
      period = period, id = ARGV[4], bounds = ARGV[5], starts_at = ARGV[6], expires_at = tonumber(ARGV[7]),
      periods = KEYS[9], meta_prefix = ARGV[8], name = ARGV[9],
    }, {now = tonumber(ARGV[2])})
  end
  period.freeze = ARGV[2] .. ' ' .. to_decimal(period.version) .. ' ' .. to_decimal(count)
  redis.call('HSET', period.meta, 'f', period.freeze)
end
return {1, period.freeze, redis.call('HGET', period.meta, 'o') or '0'}
