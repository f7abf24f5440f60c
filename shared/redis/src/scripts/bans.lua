-- Shadow bans, and whether a leaderboard has applied them. Needs numbers.lua.
--
-- A ban record: the instant at which the ban ends (int64; 0 means never), the instant at which the ban began (int64),
-- the length in two bytes of the event that ends the ban, that event, the reason.
--
-- The ban state is a hash. `n`: the number of the last change. `p`: the same number while a leaderboard still has to
-- apply changes. `x`: the instant at which the next ban ends. `t` and `c`: how far the walk over the leaderboards has
-- come. A leaderboard's configuration holds in `s` the number of the last change that the leaderboard has applied.

-- The bytes of a ban record before the event.
local BAN_HEAD = 18

-- Returns the instant at which a ban ends, or nil when the ban has no end.
local function read_ban_end(record)
  if #record < BAN_HEAD then
    corrupt('ban')
  end
  local hi, lo = struct.unpack('>I4I4', record)
  local ends = hi * HALF + lo
  return ends > 0 and ends or nil
end

-- Returns whether a ban is active at `now`. `record` is nil or false for a player without a ban.
local function is_ban_active(record, now)
  local ends = record and read_ban_end(record)
  return record and (not ends or ends > now) or false
end

-- Reads the ban state. `has_bans` is false when the tenant has never banned anybody.
local function read_ban_state(key)
  local known = redis.call('HMGET', key, 'p', 'x', 'n')
  return {
    last = parse_optional_count(known[1], 'change of bans'), next_end = parse_optional_count(known[2], 'end of a ban'),
    has_bans = known[3] and true,
  }
end

-- Returns whether a leaderboard that has applied the changes up to `applied` still has to apply a change, or whether
-- a ban has ended since.
local function has_pending_bans(state, applied, now)
  local last, ends = state.last, state.next_end
  local up_to = parse_optional_count(applied, 'change of bans') or 0
  return (ends and ends <= now) or (last and up_to < last) or false
end
