-- Decides where a tenant lives, if nobody has decided it.
-- KEYS: as in find_place.lua. ARGV[1]: the tenant; [2]: the shard for a new tenant. Returns the number of the shard.
-- Takes a few bytes, and has to work on a full server, so that a tenant's data can be deleted there.

local place = redis.call('HGET', KEYS[1], ARGV[1])
if not place then
  place = redis.call('EXISTS', unpack(KEYS, 2)) > 0 and '1' or ARGV[2]
  redis.call('HSET', KEYS[1], ARGV[1], place)
end
return { place }
