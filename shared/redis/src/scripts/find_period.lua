-- One period, if it has entries and has not expired. Needs words, period, summary.
-- KEYS: its six keys. ARGV[1]: now. Answers nothing, or bounds, visible entries, version.

local summary = summary_of(period_at(KEYS, 1), ARGV[1])
return summary and {summary.bounds, summary.visible, summary.version} or {}
