-- Versioned documents. Needs numbers.lua.
--
-- The documents of one scope and kind are a hash, id -> version (int64) and body, and a sorted set of the ids with
-- all scores 0.

local VERSION_BYTES = 8

-- Returns the version in decimal and the body; two empty strings when the document does not exist.
local function unpack_document(stored)
  if not stored then
    return '', ''
  elseif #stored < VERSION_BYTES then
    corrupt('document')
  end
  local hi, lo = struct.unpack('>I4I4', stored)
  return string.format('%.0f', hi * HALF + lo), string.sub(stored, VERSION_BYTES + 1)
end
