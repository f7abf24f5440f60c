-- Appends a record to an audit log.
-- KEYS: the stream of audit events, the stream of refusals and issued tokens. Both streams share one sequence of
-- positions.
-- ARGV[1]: the stream to write, 1 or 2; [2]: about how many records that stream keeps; [3]: the instant; [4]: the
-- record.
-- Returns the record's position in decimal.

local last = 0
for at = 1, 2 do
  last = math.max(last, tonumber(newest_position(KEYS[at])))
end
local position = string.format('%.0f', last + 1)
redis.call('XADD', KEYS[tonumber(ARGV[1])], 'MAXLEN', '~', ARGV[2], '0-' .. position, 't', ARGV[3], 'b', ARGV[4])
return position
