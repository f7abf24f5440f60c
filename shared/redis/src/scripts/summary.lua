-- What a list of periods tells of one. Needs words, period.

-- The bounds, visible entries and version of a period; nothing when it has no entries or has expired at `now`.
local function summary_of(period, now)
  local meta = redis.call('HMGET', period.meta, 'b', 'v', 'x')
  local expires_at = whole_if_there(meta[3], 'expiry of a period')
  local expired = expires_at and expires_at <= tonumber(now)
  if meta[1] and not expired and redis.call('HLEN', period.entries) > 0 then
    return {bounds = meta[1], visible = redis.call('ZCARD', period.visible), version = meta[2]}
  end
end
