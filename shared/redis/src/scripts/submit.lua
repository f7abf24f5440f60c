-- Applies a group of calls of one tenant in order. A call charges a request, then applies its submissions in order,
-- each to all its targets or to none of them. If a call fails, the other calls of the group go on.
--
-- KEYS and ARGV: see `build_call` in submit_call.rs; submission_arguments.lua reads them from front to back.
-- Returns the strings of each call: the rate-limit decision when the call is charged, and only the decision when it is
-- refused. Then one string for each submission: either a 0 and for each target a 1 for a replay or a 0, the length of
-- the outcome, the outcome; or a 1, the code of the refusal, and the index of the target that was refused. Returns only
-- '' for a call when one of its leaderboards has pending bans; the call has then been neither charged nor applied.
-- Returns only a 2 and the error for a call of a group that failed. The error of a single call is the script's error.

local request = read_request()
local period_refs, calls = {}, {}
request.calls = calls
for at = 1, request.period_ref_count do
  period_refs[at] = read_period_ref(request)
end
for at = 1, request.call_count do
  calls[at] = read_call(period_refs)
end
local replies, failure = apply_calls(request)
-- What the calls before a failure wrote is also recorded.
write_versions(period_refs)
if request.limit_state then
  write_charges(request.limit_state)
end
close_logs(request)
if request.channel ~= '' then
  announce_changes(request, period_refs)
end
if failure then
  error(failure)
end
return replies
