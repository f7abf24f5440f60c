-- Periods that have entries, newest first. Needs words, period, bans, families, summary.
-- KEYS: the list of periods, the configuration, the state of the tenant's bans. ARGV[1]: now; ARGV[2..7]: the prefixes of the periods' keys; ARGV[8]: the start before which
-- they start ('' for all); ARGV[9]: the most periods; ARGV[10]: how many of the list are looked at at most; ARGV[11]: 1 when
-- bans that are yet to be applied matter: the answer is {'behind'} then.
-- Answers where the list goes on ('' at its end), then for each period: id, bounds, visible entries, version.

if ARGV[11] == '1' and is_behind(KEYS[3], redis.call('HGET', KEYS[2], 's'), tonumber(ARGV[1])) then
  return {'behind'}
end
local answer = {''}
local prefixes = prefixes_at(2)
local newest = ARGV[8] == '' and '+inf' or '(' .. ARGV[8]
local limit, most = tonumber(ARGV[9]), tonumber(ARGV[10])
local listed = redis.call('ZRANGE', KEYS[1], newest, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, most + 1, 'WITHSCORES')
local found = 0
for at = 1, #listed, 2 do
  if found == limit or at > 2 * most then
    answer[1] = listed[at - 1]
    break
  end
  local id = listed[at]
  local period = period_of(prefixes, id)
  local summary = summary_of(period, ARGV[1])
  if summary then
    local size = #answer
    answer[size + 1], answer[size + 2] = id, summary.bounds
    answer[size + 3], answer[size + 4] = summary.visible, summary.version
    found = found + 1
  end
end
return answer
