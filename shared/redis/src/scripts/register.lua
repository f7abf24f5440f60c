-- Registers the scripts of the library. Needs arguments.lua and clock.lua.
--
-- With several shards, the last key of a call about a tenant is the tenant's marker, and the last argument is the number
-- of this shard, with a `?` if the tenant may live nowhere. A marker: the number of the shard where the tenant lives; on
-- this shard also ` closing` while its queue is drained, and ` moving` while its data is copied to another shard.

local FLAGS = {Reads = {'no-writes'}, Writes = {}, FreesMemory = {'allow-oom'}}
local MARKER = '^eb:[^:]+:shard$'
local MOVING = 'MOVING the tenant is being moved to another shard'
-- These look at `is_moving` before they write.
local WHILE_MOVING = { CHARGE = true, READ_USAGE = true, FREEZE_STANDINGS = true }

-- Returns the error of a call that may not run on this shard, or not now; nil if it may.
local function check_place(name, effect, marker, expected)
  local place, state = string.match(redis.call('GET', marker) or '0', '^(%d+) ?(%a*)')
  local number, optional = string.match(expected, '^(%d+)(%??)')
  if place ~= number and (place ~= '0' or optional == '') then
    return redis.error_reply('MISPLACED ' .. place)
  end
  is_moving = state == 'moving'
  if is_moving and effect ~= 'Reads' and not WHILE_MOVING[name] or state == 'closing' and name == 'ENQUEUE' then
    return redis.error_reply(MOVING)
  end
  return nil
end

-- Adds a script. The library stays loaded between calls, so each call begins with its own keys and arguments.
local function add_script(name, effect, run)
  register_script(name, FLAGS[effect], function(keys, arguments)
    is_moving = false
    if #keys > 1 and string.find(keys[#keys], MARKER) then
      local refusal = check_place(name, effect, table.remove(keys), table.remove(arguments))
      if refusal then
        return refusal
      end
    end
    KEYS, ARGV = keys, arguments
    keys_read, next_byte, clock_us = 0, 1, nil
    return run()
  end)
end
