-- Stores the claim of a player, unless the player has one that it does not replace.
-- ARGV[2]: the player; [3]: the rank in the claim; [4]: the freeze in which the player has this rank; [5]: the claim; [6]:
-- the prize that it replaces ('' for none).
-- Returns the reply of a refused read, {1, 0} when the claim was stored, {1, 1, claim} when the player has one, or
-- {1, 2} when the rank or the freeze is another.

local period, refusal = open_read()
if not period then
  return refusal
end
local field = 'c:' .. ARGV[2]
local existing = redis.call('HGET', period.meta, field)
local claimed_rank, claimed_prize = string.match(existing or '', '^(%d+) %-?%d+ ([^\n]*)')
if existing and (ARGV[6] == '' or claimed_prize ~= ARGV[6] or tonumber(claimed_rank) <= tonumber(ARGV[3])) then
  return {1, 1, existing}
end
local key = period.freeze == ARGV[4] and find_order_key(period, ARGV[2])
if not key or not redis.call('ZSCORE', period.visible, key) or compute_rank(period, key) ~= tonumber(ARGV[3]) then
  return {1, 2}
end
redis.call('HSET', period.meta, field, ARGV[5])
return {1, 0}
