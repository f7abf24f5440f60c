-- The server's clock, for what regions share that does not come from a request: rate limits, usage, versions of
-- configurations and documents, and whether a period that expired is gone.

local clock_us

-- Microseconds since 1970, the same for the whole call; exact in a double.
local function now_us()
  if not clock_us then
    local time = redis.call('TIME')
    clock_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
  end
  return clock_us
end
