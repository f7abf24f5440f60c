-- Refuses to delete another import, or one that was written to lately. Then `delete_leaderboard.lua` deletes the import: its
-- hash is that of a configuration.
-- KEYS and ARGV: those of `delete_leaderboard.lua`, with the import for the configuration; ARGV[9]: the latest instant of
-- the last step at which the import is deleted ('' for any).

local written = redis.call('HMGET', KEYS[1], 'id', 'at')
if written[1] ~= ARGV[2] or (ARGV[9] ~= '' and tonumber(written[2] or 0) > tonumber(ARGV[9])) then
  return {'ok', 0}
end
