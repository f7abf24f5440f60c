-- Returns the entries of given players, unsorted.
-- ARGV[2]: the player who reads, as in `show_own_entry` ('' for none); ranks and counts are those of the list that
-- this player sees. ARGV[3] and on: pairs of a player and 1 when the caller may see that player's entry despite a
-- ban.
-- Returns, after the head, for each entry: rank, 1 when banned, order key, packed attempts and metadata.

local period, refusal = open_read()
if not period then
  return refusal
end
show_own_entry(period, ARGV[2])
local reply = start_reply(period)
if not period.layout then
  return reply
end
for at = 3, #ARGV, 2 do
  local key, packed = find_order_key(period, ARGV[at])
  -- If ranks are unique, ZRANK answers both questions: the rank, and whether the entry is visible.
  local index = key and redis.call(period.ties < SHARED and 'ZRANK' or 'ZSCORE', period.visible, key)
  local is_banned = not index
  if key and (not is_banned or ARGV[at + 1] == '1') then
    local size = #reply
    local is_rank = index and period.ties < SHARED and not period.shown
    reply[size + 1] = is_rank and index + 1 or compute_list_rank(period, key)
    reply[size + 2] = is_banned and 1 or 0
    reply[size + 3] = key
    reply[size + 4] = string.sub(packed, #key - #ARGV[at] + 1)
  end
end
return reply
