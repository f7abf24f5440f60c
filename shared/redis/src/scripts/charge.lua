-- Charges a request.
-- ARGV: 1 when the request still waits for the decision and can be refused, 0 when it has been served; then the
-- arguments of `read_charges`. Returns the decision.

local may_be_refused = next_argument() == '1'
local state, charges = new_limit_state(), read_charges()
if not check_charges(state, charges) and may_be_refused then
  return {encode_decision(charges, true)}
end
if is_moving then
  -- The usage is being copied. What a few seconds use is not counted, so that reads go on.
  return {encode_decision(charges, false)}
end
apply_charges(state, charges)
write_charges(state)
return {encode_decision(charges, false)}
