-- Functions of the scripts that move a tenant to another shard. Another call can change the move between two of them, so
-- each names what it expects of the shard: ARGV[1] the tenant's marker (KEYS[1]; '' for none), ARGV[2] the process of the
-- server ('' for any). A server that was started again may have lost its last writes, and the cursors of its scans mean
-- something else.

-- Returns the first characters of the id that a server gives itself when it starts. A proxy may hide the id.
local function read_process()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x%x%x%x%x%x%x%x)') or ''
end

local function is_expected()
  return (redis.call('GET', KEYS[1]) or '') == ARGV[1] and (ARGV[2] == '' or ARGV[2] == read_process())
end

