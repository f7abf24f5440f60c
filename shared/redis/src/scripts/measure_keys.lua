-- Returns a text for each key, which is the same for a key and a complete copy of it: its type and its size. The tenant is
-- not written while keys are copied, and a copy grows from its beginning.

local SIZES = { string = 'STRLEN', list = 'LLEN', hash = 'HLEN', zset = 'ZCARD', stream = 'XLEN' }

local texts = {}
for at, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  local size = SIZES[kind] and redis.call(SIZES[kind], key) or 0
  texts[at] = kind .. ' ' .. to_decimal(size)
  if kind == 'stream' then
    -- The last part of a copy sets this.
    texts[at] = texts[at] .. ' ' .. read_stream(key)['last-generated-id']
  end
end
return texts
