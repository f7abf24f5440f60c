-- The server's clock. It decides what regions share and no request brings along: rate limits, usage, versions of
-- configurations and documents, and whether an expired period has been deleted.

local clock_us

-- Returns microseconds since 1970. The value stays the same for the whole call and is exact in a double.
local function now_us()
  if not clock_us then
    local time = redis.call('TIME')
    clock_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
  end
  return clock_us
end
