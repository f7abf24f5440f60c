-- What a tenant holds and has used. Needs words, period, arguments, clock, held.
-- KEYS: the count of entries, the periods that expire, the tenant's list of leaderboards, the usage.
-- ARGV: as `take_boards` says.
-- Answers the number of leaderboards and of entries, then field and count of each day, unsorted.

local held = held_at(take_key(), take_key())
take_boards(held)
local usage = redis.call('HGETALL', take_key())
local entries = count_held(held)
return {redis.call('ZCARD', held.boards), entries, unpack(usage)}
