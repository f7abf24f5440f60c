-- Returns the period at an index of a leaderboard's list, as it is stored.
-- KEYS[1]: the list of periods. ARGV[1]: the index; [2], [3]: the prefixes of a period's meta and entries.
-- Returns {} after the end of the list, {id} for a period that has expired, or the id, the layout's bytes, the bounds,
-- the version, the expiry ('' for none), the freeze ('' for none), how often the standings were reopened, and the number
-- of entries.

local id = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not id then
  return {}
end
local layout, bounds, version, expires_at, freeze, reopened =
  unpack(redis.call('HMGET', ARGV[2] .. id, 'l', 'b', 'v', 'x', 'f', 'o'))
if not layout then
  return {id}
end
local entries = to_decimal(redis.call('HLEN', ARGV[3] .. id))
return {id, layout, bounds or '', version or '', expires_at or '', freeze or '', reopened or '0', entries}
