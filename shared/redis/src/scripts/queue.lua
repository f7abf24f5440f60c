-- The durable queue. KEYS[1]: the stream of all tenants. A backend appends an entry with the field `message`; Edgeboard
-- appends entries with the fields `tenant`, `id` and `request`. One consumer group delivers the entries. Needs clock.lua.
--
-- Requests of a tenant, KEYS[2]: id -> record (hash); [3]: ids by the end of their results (sorted set); [4]: sizes
-- (hash): `items` and `bytes` in the queue, `results` the bytes of kept results; [5]: the requests of players that are in
-- the queue (sorted set, all scores 0; see `pending_member`). The keys expire with the last result.
-- A record: the digest (16 bytes), '1' when the request is done, the player after its length (one byte), the result.

-- The functions of this file. One table, because Lua allows 200 local variables in the source of the library.
local queue = { GROUP = 'edgeboard', REQUEST_HEAD = 18, ITEM_DIGITS = 20 }

function queue.server_ms()
  return math.floor(now_us() / 1000)
end

function queue.pack_request(digest, done, player, result)
  return digest .. done .. string.char(#player) .. player .. result
end

-- Returns the length of a record without its result.
function queue.request_head(record)
  return queue.REQUEST_HEAD + string.byte(record, queue.REQUEST_HEAD)
end

-- Returns the member of KEYS[5] for a request: the player, the id of its item in the stream, and its id. The number in the
-- item's id has zeros before it, so that the members of a player are in the order of their items.
function queue.pending_member(player, id, name)
  local milliseconds, number = string.match(name, '^(%d+)-(%d+)$')
  local item = milliseconds .. '-' .. string.rep('0', queue.ITEM_DIGITS - #number) .. number
  return player .. '\1' .. item .. '\1' .. id
end

function queue.drop_request(id)
  local record = redis.call('HGET', KEYS[2], id)
  if record then
    redis.call('HINCRBY', KEYS[4], 'results', queue.request_head(record) - #record)
    redis.call('HDEL', KEYS[2], id)
  end
  redis.call('ZREM', KEYS[3], id)
end

-- Deletes up to `most` results that have expired, or are surplus: the oldest while all have more than `max_bytes`.
function queue.trim_results(max_bytes, most)
  for _ = 1, most do
    local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
    if not oldest[1] then
      return
    end
    local bytes = tonumber(redis.call('HGET', KEYS[4], 'results') or 0)
    if tonumber(oldest[2]) > queue.server_ms() and bytes <= max_bytes then
      return
    end
    queue.drop_request(oldest[1])
  end
end

-- Creates the consumer group, when `reply` is the error that it does not exist. Returns whether it did.
function queue.create_missing_group(reply)
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'NOGROUP', 1, true) then
      error(reply.err)
    end
    redis.call('XGROUP', 'CREATE', KEYS[1], queue.GROUP, '0')
    return true
  end
  return false
end
