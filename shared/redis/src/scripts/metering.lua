-- Rate limits (GCRA) and usage: all that a call is charged with, or nothing. Needs words, arguments, clock.
--
-- A bucket holds its theoretical arrival time as a double of whole microseconds, and lives for as long as that is
-- ahead of now: a bucket that is not there has all of its room. Usage is one hash of the tenant: `r` or `s` and the
-- day (since 1970, by the server's clock) hold the requests and the scores of that day. It ends with its last day.

local DAY_US = 86400000000
local DAY_S = 86400
local BUCKET_BYTES = 8
-- Beyond this no number is exact, and no instant is that far away.
local LAST_US = 9007199254740992

-- KEYS: the usage, then a bucket for each charge. ARGV: requests, scores, the day's quota of requests ('' for none),
-- how many bursts a bucket is overdrawn at most, or how many microseconds if those are more, how many days are kept,
-- the number of charges, and for each: interval (µs), burst, the units that must be free ('' for any), cost.
local function take_meter()
  local meter = {usage = take_key(), requests = tonumber(take()), scores = tonumber(take())}
  meter.quota, meter.overdraft, meter.debt = tonumber(take()), tonumber(take()), tonumber(take())
  meter.days = tonumber(take())
  for at = 1, tonumber(take()) do
    local charge = {bucket = take_key(), interval = tonumber(take())}
    charge.most = charge.interval * tonumber(take())
    local needs = tonumber(take())
    charge.needed = needs and charge.interval * needs
    charge.price = charge.interval * tonumber(take())
    meter[at] = charge
  end
  return meter
end

local function ahead_of(bucket, now)
  local arrival = redis.call('GET', bucket)
  if not arrival then
    return 0
  end
  local instant = #arrival == BUCKET_BYTES and struct.unpack('>d', arrival)
  -- What is no number at all compares to nothing.
  if not (instant and instant >= 0 and instant <= LAST_US) then
    corrupt('bucket')
  end
  return math.max(0, instant - now)
end

-- Reads all and writes nothing. Whether there is room for everything.
local function weigh(meter)
  meter.now = now_us()
  meter.day = string.format('%d', meter.now / DAY_US)
  meter.requests_field, meter.scores_field = 'r' .. meter.day, 's' .. meter.day
  local used = redis.call('HMGET', meter.usage, meter.requests_field, meter.scores_field)
  meter.requests_today = count_if_there(used[1], 'usage') or 0
  meter.scores_today = count_if_there(used[2], 'usage') or 0
  local has_room = not meter.quota or meter.requests_today + meter.requests <= meter.quota
  for _, charge in ipairs(meter) do
    charge.ahead = ahead_of(charge.bucket, meter.now)
    if charge.needed and charge.ahead + charge.needed > charge.most then
      has_room = false
    end
  end
  return has_room
end

-- The first usage of a day forgets that of days long past, and keeps the rest for as long as that of this day: a tenant
-- that is used no more leaves nothing.
local function begin_day(meter)
  redis.call('EXPIRE', meter.usage, meter.days * DAY_S)
  for _, field in ipairs(redis.call('HKEYS', meter.usage)) do
    local day = tonumber(string.sub(field, 2))
    if day and day <= tonumber(meter.day) - meter.days then
      redis.call('HDEL', meter.usage, field)
    end
  end
end

-- Charges everything. What has been read shows that it can be written.
local function charge_all(meter)
  local used, is_first = {}, meter.requests_today == 0
  if meter.requests > 0 then
    meter.requests_today = meter.requests_today + meter.requests
    used = {meter.requests_field, meter.requests_today}
  end
  if meter.scores > 0 then
    is_first = is_first and meter.scores_today == 0
    meter.scores_today = meter.scores_today + meter.scores
    used[#used + 1], used[#used + 2] = meter.scores_field, meter.scores_today
  end
  if #used > 0 then
    redis.call('HSET', meter.usage, unpack(used))
  end
  if #used > 0 and is_first then
    begin_day(meter)
  end
  for _, charge in ipairs(meter) do
    if charge.price > 0 then
      local most = math.max(charge.ahead, charge.most * meter.overdraft, meter.debt)
      charge.ahead = math.min(charge.ahead + charge.price, most)
      local arrival = struct.pack('>d', meter.now + charge.ahead)
      redis.call('SET', charge.bucket, arrival, 'PX', math.ceil(charge.ahead / 1000))
    end
  end
end

-- One string: a 1 when the call was refused, then words: requests of the day, how far each bucket is ahead (µs).
local function metered(meter, refused)
  local answer = {refused and '\1' or '\0', word(meter.requests_today)}
  for at, charge in ipairs(meter) do
    answer[at + 2] = word(charge.ahead)
  end
  return table.concat(answer)
end
