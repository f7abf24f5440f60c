-- Returns whether the current version ('' for none) is the expected one: 'any', 'absent' or a version.
local function is_expected(current, expected)
  if expected == 'absent' then
    return current == ''
  end
  return expected == 'any' or expected == current
end
