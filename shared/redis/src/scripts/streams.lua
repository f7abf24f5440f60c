-- Returns the fields of `XINFO STREAM`.
local function read_stream(key)
  local info, fields = redis.call('XINFO', 'STREAM', key), {}
  for at = 1, #info, 2 do
    fields[info[at]] = info[at + 1]
  end
  return fields
end

