-- Whether a version ('' for none) is what a change expects: 'any', 'absent' or that version.
local function is_expected(current, expected)
  if expected == 'absent' then
    return current == ''
  end
  return expected == 'any' or expected == current
end
