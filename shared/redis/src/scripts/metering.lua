-- Rate limits (GCRA) and usage: all that a call is charged with, or nothing. Needs words, arguments, clock.
--
-- A bucket holds its theoretical arrival time as a double of whole microseconds, and lives for as long as that is
-- ahead of now: a bucket that is not there has all of its room. Usage is one hash of the tenant: `r` or `s` and the
-- day (since 1970, by the server's clock) hold the requests and the scores of that day. It ends with its last day.

local DAY_US = 86400000000
local DAY_S = 86400
local BUCKET_BYTES = 8

-- KEYS: the usage, then a bucket for each charge. ARGV: requests, scores, the day's quota of requests ('' for none),
-- how many bursts a bucket is overdrawn at most, or how many microseconds if those are more, how many days are kept,
-- the number of charges, and for each: interval (µs), burst, the units that must be free ('' for any), cost.
local function take_meter()
  local meter = {usage = take_key(), requests = take(), scores = take()}
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
  elseif #arrival ~= BUCKET_BYTES then
    corrupt('bucket')
  end
  return math.max(0, struct.unpack('>d', arrival) - now)
end

local function read_requests(meter)
  meter.requests_today = count_of(redis.call('HGET', meter.usage, meter.requests_field) or '0', 'usage')
end

-- Reads all and writes nothing. Whether there is room for everything.
local function weigh(meter)
  meter.now = now_us()
  meter.day = string.format('%d', meter.now / DAY_US)
  meter.requests_field = 'r' .. meter.day
  local has_room = true
  if meter.quota then
    read_requests(meter)
    has_room = meter.requests_today + tonumber(meter.requests) <= meter.quota
  end
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
    if tonumber(string.sub(field, 2)) <= tonumber(meter.day) - meter.days then
      redis.call('HDEL', meter.usage, field)
    end
  end
end

-- Charges everything. The usage comes first: what has been read of the buckets shows that they can be written.
local function charge_all(meter)
  if meter.requests ~= '0' then
    meter.requests_today = redis.call('HINCRBY', meter.usage, meter.requests_field, meter.requests)
    if meter.requests_today == tonumber(meter.requests) then
      begin_day(meter)
    end
  end
  if meter.scores ~= '0' then
    local today = redis.call('HINCRBY', meter.usage, 's' .. meter.day, meter.scores)
    if meter.requests == '0' and today == tonumber(meter.scores) then
      begin_day(meter)
    end
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
  if not meter.requests_today then
    read_requests(meter)
  end
  local answer = {refused and '\1' or '\0', word(meter.requests_today)}
  for at, charge in ipairs(meter) do
    answer[at + 2] = word(charge.ahead)
  end
  return table.concat(answer)
end
