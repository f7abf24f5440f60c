-- Returns what a period has of some players.
-- KEYS: those of a read, then the log. ARGV[2] and on: the players.
-- Returns the reply of a refused read; or 1, the layout's bytes ('' when there is no period), the position of the newest
-- event, the period's version, then for each player: the state of the entry, and the packed entry.

local period, refusal = open_read()
if not period then
  return refusal
end
local reply = {1, period.layout or '', newest_position(KEYS[9]), to_decimal(period.version)}
for at = 2, #ARGV do
  local state, packed = ABSENT, ''
  if period.layout then
    state, packed = describe_entry(period, ARGV[at])
  end
  reply[#reply + 1] = state
  reply[#reply + 1] = packed
end
return reply
