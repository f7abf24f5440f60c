-- Makes the standings of a period final, unless they are.
-- KEYS: those of a read, then the list of periods, the entry counts, the periods that expire.
-- ARGV[2]: now; [3]: the layout's bytes for a period that has never had an entry; [4]: its id; [5]: its bounds; [6]: its
-- start; [7]: its expiry ('' for none); [8]: the prefix of the meta; [9]: the period's name in the entry counts; [10]: for
-- how many days prizes can be claimed; then for each prize: the first rank, the last one or a percentage of the entries
-- (ends with %), the name.
-- Returns the reply of a refused read; or {1, the freeze as in standings.lua, how often the standings were reopened}.

-- Returns the last rank of a prize in standings with `count` entries.
local function find_last_rank(period, last, count)
  local percent = string.match(last, '^(%d+)%%$')
  if not percent then
    return last
  end
  local players = math.ceil(count * tonumber(percent) / 100)
  if period.ties ~= DENSE or players == 0 then
    return to_decimal(players)
  end
  return to_decimal(compute_rank(period, redis.call('ZRANGE', period.visible, players - 1, players - 1)[1]))
end

local period, refusal = open_read()
if not period then
  return refusal
end
if not period.freeze then
  if is_moving then
    return redis.error_reply(MOVING)
  end
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
  local lines = {period.freeze, ARGV[10]}
  for at = 11, #ARGV, 3 do
    lines[#lines + 1] = ARGV[at] .. ' ' .. find_last_rank(period, ARGV[at + 1], count) .. ' ' .. ARGV[at + 2]
  end
  period.freeze = table.concat(lines, '\n')
  redis.call('HSET', period.meta, 'f', period.freeze)
end
return {1, period.freeze, redis.call('HGET', period.meta, 'o') or '0'}
