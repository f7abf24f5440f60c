-- Corrects entries, their places in the sets, and the counts. Skips an entry that is another one now.
-- KEYS: those of a read, then the entry counts, the periods that expire. ARGV[2]: the period's name in the entry counts;
-- then for each entry: the player, the state and the packed entry that were compared, the right state, and for a right
-- entry its order-key prefix with wide integers, and its attempts and metadata as stored.
-- Returns the reply of a refused read; or 1 and how many entries were corrected.

local period, refusal = open_read()
if not period then
  return refusal
end
if not period.layout then
  return {1, 0}
end
check_period_types(period)
local entry_counts, corrected = new_entry_counts(KEYS[9], KEYS[10]), 0
load_entry_counts(entry_counts, ARGV[2])
for at = 3, #ARGV, 6 do
  local player = ARGV[at]
  local state, packed, old = describe_entry(period, player)
  if state == tonumber(ARGV[at + 1]) and packed == ARGV[at + 2] then
    local right, new = tonumber(ARGV[at + 3]), nil
    if right == ABSENT then
      redis.call('HDEL', period.entries, player)
    else
      local prefix = narrow(ARGV[at + 4])
      new = prefix .. player
      redis.call('HSET', period.entries, player, prefix .. ARGV[at + 5])
      redis.call('ZADD', right == BANNED and period.banned or period.visible, '0', new)
    end
    for _, key in ipairs({old or new, new or old}) do
      if key ~= new or right ~= VISIBLE then
        redis.call('ZREM', period.visible, key)
      end
      if key ~= new or right ~= BANNED then
        redis.call('ZREM', period.banned, key)
      end
      count_tuple(period, key)
    end
    corrected = corrected + 1
  end
end
if corrected > 0 then
  redis.call('HDEL', period.meta, 'r')
  copy_deadline(period)
  if entry_counts.by_period[ARGV[2]] then
    set_period_count(entry_counts, ARGV[2], redis.call('HLEN', period.entries))
  end
end
return {1, corrected}
