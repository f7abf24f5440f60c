-- Registers the scripts of the library. Needs arguments.lua and clock.lua.

local FLAGS = {Reads = {'no-writes'}, Writes = {}, FreesMemory = {'allow-oom'}}

-- Adds a script. The library stays loaded between calls, so each call begins with its own keys and arguments.
local function add_script(name, effect, run)
  register_script(name, FLAGS[effect], function(keys, arguments)
    KEYS, ARGV = keys, arguments
    keys_read, next_byte, clock_us = 0, 1, nil
    return run()
  end)
end
