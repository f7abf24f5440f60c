-- Final standings and claims. Needs period.lua.
--
-- Fields of a period's meta: `f` when its standings are final: the instant, the version and the number of visible
-- entries, with spaces between them; `o` how often late scores reopened them; `c:` and a player: the player's claim,
-- as the client encodes it.

local CLAIM_FIELD = 'c:'

-- Ends that the standings are final.
local function reopen_standings(period)
  redis.call('HDEL', period.meta, 'f')
  redis.call('HINCRBY', period.meta, 'o', 1)
  period.freeze = nil
end
