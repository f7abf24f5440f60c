-- Returns one period when it has entries and has not expired.
-- KEYS: the period's six keys. ARGV[1]: now. Returns an empty list, or bounds, number of visible entries, version.

local summary = summarize_period(period_from_keys(KEYS, 1), ARGV[1])
return summary and {summary.bounds, summary.visible, summary.version} or {}
