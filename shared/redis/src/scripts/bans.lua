-- Who is banned, and whether that has been applied to a leaderboard. Needs words.lua.
--
-- A record: when the ban ends (a word; 0 is never) and since when it is (a word), the length of the event of its end in two
-- bytes, that event, and the reason.
-- The state (hash): `n` the number of the last change, `p` the same while changes are yet to be applied somewhere, `x` when
-- the next ban ends, `t` and `c` how far the walk over the leaderboards is. A leaderboard's configuration has `s`, the number
-- of the last change that was applied to it.

-- What stands before the event in a record, in bytes.
local BAN_HEAD = 18

-- When a ban ends; nothing when it does not.
local function ban_end(record)
  if #record < BAN_HEAD then
    corrupt('ban')
  end
  local hi, lo = struct.unpack('>I4I4', record)
  local ends = hi * HALF + lo
  return ends > 0 and ends or nil
end

-- Whether a ban holds; `record` may be nothing.
local function holds(record, now)
  local ends = record and ban_end(record)
  return record and (not ends or ends > now) or false
end

-- Whether a change is yet to be applied to the leaderboard to which those up to `applied` were, or a ban is over.
local function is_behind(state, applied, now)
  local known = redis.call('HMGET', state, 'p', 'x')
  local last, ends = count_if_there(known[1], 'change of bans'), count_if_there(known[2], 'end of a ban')
  local up_to = count_if_there(applied, 'change of bans') or 0
  return (ends and ends <= now) or (last and up_to < last) or false
end
