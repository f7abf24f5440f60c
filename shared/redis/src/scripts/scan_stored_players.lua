-- Returns some players with an entry, and counts the order keys without an entry that belongs there.
-- KEYS: those of a read. ARGV[2]: the key to scan: 'entries', 'visible' or 'banned'; [3]: the cursor; [4]: '1' to remove
-- such order keys.
-- Returns the reply of a refused read; or 1, the next cursor, how many such order keys there were, then the players.

local STEP = 500
local period, refusal = open_read()
if not period then
  return refusal
end
if not period.layout then
  return {1, '0', 0}
end
local is_hash, strays = ARGV[2] == 'entries', 0
local scanned = redis.call(is_hash and 'HSCAN' or 'ZSCAN', period[ARGV[2]], ARGV[3], 'COUNT', STEP)
local reply = {1, scanned[1], 0}
for at = 1, #scanned[2], 2 do
  local found = scanned[2][at]
  if is_hash then
    reply[#reply + 1] = found
  else
    local is_key, player = pcall(extract_player, period, found)
    local state, _, key = nil, nil, nil
    if is_key then
      state, _, key = describe_entry(period, player)
    end
    if not is_key or state == ABSENT or (key and key ~= found) then
      strays = strays + 1
      if ARGV[4] == '1' then
        redis.call('ZREM', period[ARGV[2]], found)
        if is_key and ARGV[2] == 'visible' then
          count_tuple(period, found)
        end
      end
    end
  end
end
reply[3] = strays
return reply
