-- What a tenant holds and has used. Needs words, period, arguments, clock, held, log.
-- KEYS: the count of entries, the periods that expire, the tenant's list of leaderboards, the usage, what its logs weigh.
-- ARGV: as `take_boards` says, then the length of a span of idempotency records, in milliseconds.
-- Answers the number of leaderboards, 1 when the number of entries is exact and 0 when it takes more steps, that number,
-- what logs and records weigh, then field and count of each day, unsorted.

local held = held_at(take_key(), take_key())
take_boards(held)
local usage = redis.call('HGETALL', take_key())
local weights = weights_at(take_key())
read_weights(weights, math.floor(now_us() / 1000 / tonumber(take())))
local leaderboards = redis.call('ZCARD', held.boards)
drop_expired(held)
local is_exact = held.is_exact and (held.total or leaderboards == 0)
return {leaderboards, is_exact and 1 or 0, held.total or 0, weights.events + weights.records, unpack(usage)}
