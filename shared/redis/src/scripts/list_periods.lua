-- Lists periods that have entries, newest first.
-- KEYS: the list of periods, the configuration, the state of the tenant's bans. ARGV[1]: now; [2..7]: the prefixes of
-- the period keys; [8]: the start before which the listed periods start ('' for all periods); [9]: the maximum number
-- of periods; [10]: the maximum number of periods to look at; [11]: 1 to return {'behind'} while the leaderboard has
-- pending bans.
-- Returns the start before which the list continues ('' at the end), then for each period: id, bounds, number of
-- visible entries, version.

if ARGV[11] == '1' then
  local applied = redis.call('HGET', KEYS[2], 's')
  if has_pending_bans(read_ban_state(KEYS[3]), applied, tonumber(ARGV[1])) then
    return {'behind'}
  end
end
local reply = {''}
local prefixes = read_key_prefixes(2)
local newest = ARGV[8] == '' and '+inf' or '(' .. ARGV[8]
local limit, most = tonumber(ARGV[9]), tonumber(ARGV[10])
local listed = redis.call('ZRANGE', KEYS[1], newest, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, most + 1, 'WITHSCORES')
local found = 0
for at = 1, #listed, 2 do
  if found == limit or at > 2 * most then
    reply[1] = listed[at - 1]
    break
  end
  local id = listed[at]
  local period = period_by_id(prefixes, id)
  local summary = summarize_period(period, ARGV[1])
  if summary then
    local size = #reply
    reply[size + 1], reply[size + 2] = id, summary.bounds
    reply[size + 3], reply[size + 4] = summary.visible, summary.version
    found = found + 1
  end
end
return reply
