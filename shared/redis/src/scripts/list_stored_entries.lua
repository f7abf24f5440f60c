-- Lists entries of a period in their order.
-- KEYS: those of a read. ARGV[2]: '1' for the entries of banned players, '0' for the visible ones; [3]: the order key, of
-- wide integers, after which the list begins ('' for its beginning); [4]: the maximum number of entries.
-- Returns the reply of a refused read; or 1, the layout's bytes ('' when there is no period), then for each entry the
-- player and the packed entry.

local period, refusal = open_read()
if not period then
  return refusal
end
local reply, from = {1, period.layout or ''}, '-'
if not period.layout then
  return reply
end
if ARGV[3] ~= '' then
  local bytes = 8 * (period.columns + 1)
  from = '(' .. narrow(string.sub(ARGV[3], 1, bytes)) .. string.sub(ARGV[3], bytes + 1)
end
local set = ARGV[2] == '1' and period.banned or period.visible
for _, key in ipairs(redis.call('ZRANGE', set, from, '+', 'BYLEX', 'LIMIT', 0, ARGV[4])) do
  local player = extract_player(period, key)
  reply[#reply + 1] = player
  reply[#reply + 1] = redis.call('HGET', period.entries, player) or corrupt('entry')
end
return reply
