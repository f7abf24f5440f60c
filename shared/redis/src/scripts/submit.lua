-- Charges a request, then applies its submissions in order, each to all its targets or to none of them.
--
-- KEYS and ARGV: see `build_call` in submit.rs; submission_arguments.lua reads them from front to back.
-- Returns the rate-limit decision when the request is charged, and only the decision when it is refused. Then one
-- string for each submission: either a 0 and for each target a 1 for a replay or a 0, the length of the outcome, the
-- outcome; or a 1, the code of the refusal, and the index of the target that was refused. Returns only '' when one of
-- the leaderboards has pending bans; the script has then charged and applied nothing.

local request = read_request()
local charges, period_refs, submissions, replies = request.charges, {}, {}, {}
if charges and not check_charges(charges) then
  return {encode_decision(charges, true)}
end
for at = 1, request.period_ref_count do
  period_refs[at] = read_period_ref(request)
  load_period_ref(request, period_refs[at])
  if period_refs[at].has_pending_bans then
    return {''}
  end
end
for at = 1, request.submission_count do
  submissions[at] = read_submission(period_refs)
end
if #submissions > 0 then
  load_submissions(request, submissions)
end
for at, submission in ipairs(submissions) do
  replies[at] = apply_submission(request, submission)
end
-- The charge comes last: a call that fails because of damaged data costs nothing.
if charges then
  apply_charges(charges)
  table.insert(replies, 1, encode_decision(charges, false))
end
close_logs(request)
if request.channel ~= '' then
  announce_changes(request, period_refs)
end
return replies
