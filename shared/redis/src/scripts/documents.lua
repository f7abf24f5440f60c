-- Versioned documents. Needs words.
--
-- Those of one scope and kind are a hash, id -> version (a word) and body, and a sorted set of the ids, all scores 0.

local VERSION_BYTES = 8

-- The version in decimal, and the body; two empty strings when there is no document.
local function open_document(stored)
  if not stored then
    return '', ''
  elseif #stored < VERSION_BYTES then
    corrupt('document')
  end
  local hi, lo = struct.unpack('>I4I4', stored)
  return string.format('%.0f', hi * HALF + lo), string.sub(stored, VERSION_BYTES + 1)
end
