-- What a list of periods tells of one. Needs period.

-- The bounds, visible entries and version of a period; nothing when it has no entries or has expired at `now`.
local function summary_of(period, now)
  local meta = redis.call('HMGET', period.meta, 'b', 'v', 'x')
  local expired = meta[3] and tonumber(meta[3]) <= tonumber(now)
  if meta[1] and not expired and redis.call('HLEN', period.entries) > 0 then
    return {bounds = meta[1], visible = redis.call('ZCARD', period.visible), version = meta[2]}
  end
end
