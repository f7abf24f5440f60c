-- Charges a call. Needs words, arguments, clock, metering.
-- ARGV[1]: 1 when it has not been let through yet and may be refused; then as metering.lua says.

local may_be_refused = take() == '1'
local meter = take_meter()
if not weigh(meter) and may_be_refused then
  return {metered(meter, true)}
end
charge_all(meter)
return {metered(meter, false)}
