-- The summary of a period in a list of periods. Needs numbers.lua and period.lua.

-- Returns bounds, number of visible entries and version of a period; nil when it has no entries or has expired at
-- `now`.
local function summarize_period(period, now)
  local meta = redis.call('HMGET', period.meta, 'b', 'v', 'x')
  local expires_at = parse_optional_integer(meta[3], 'expiry of a period')
  local expired = expires_at and expires_at <= tonumber(now)
  if meta[1] and not expired and redis.call('HLEN', period.entries) > 0 then
    return {bounds = meta[1], visible = redis.call('ZCARD', period.visible), version = meta[2]}
  end
end
