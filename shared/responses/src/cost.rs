//! How many units of rate limits a read costs beyond the one unit that every request costs (docs/decisions/0027).

use leaderboard_core::usecase::{
    MAX_COMPARED_ENTRIES, MAX_EXPORT_READS, MAX_EXPORTED_LINES, MAX_REPLAYED_EVENTS, MAX_SCANNED_EVENTS,
    MAX_SCANNED_LEADERBOARDS,
};

use super::cache_key::{CacheKey, CachedRead};

/// The extra units of a read that asks the store.
const MISS_UNITS: u64 = 2;
/// The extra units when the store is asked which period a name means.
pub(crate) const PERIOD_NAME_UNITS: u64 = 1;
/// The first 100 entries, players or periods are included; each further 100, or part of 100, cost one unit.
const ENTRIES_PER_UNIT: u32 = 100;

/// The first 10 configurations of a page are included in the cost of a miss; each further 10, or part of 10, cost one unit. A
/// configuration is as large as ten entries.
const CONFIGURATIONS_PER_UNIT: u32 = 10;

/// How many reads of a page of an export cost one unit.
const READS_PER_UNIT: u32 = 8;
/// Each 1,000 events that a read looks through cost one unit, as much as a page of 100 entries.
const SCANNED_EVENTS_PER_UNIT: u32 = 1_000;

/// Returns the extra units for the size of a response, whether or not it comes from the cache.
fn units_of_size(entries: u32) -> u64 {
    u64::from(entries.saturating_sub(1) / ENTRIES_PER_UNIT)
}

/// Returns the extra units of a response of this many entries that is never cached.
pub fn units_of_uncached_entries(entries: u32) -> u64 {
    MISS_UNITS.saturating_add(units_of_size(entries))
}

/// Returns the extra units of a read that looks for the events of a player: as many as for the most events and logs that it can look
/// through, because the cost must not depend on the events of other players.
pub fn units_of_scanned_events() -> u64 {
    let events = u64::from(MAX_SCANNED_EVENTS / SCANNED_EVENTS_PER_UNIT);
    events.saturating_add(u64::from(MAX_SCANNED_LEADERBOARDS))
}

/// Returns the extra units of a replay of at most this many events.
pub fn units_of_replay(events: u64) -> u64 {
    events.div_ceil(u64::from(SCANNED_EVENTS_PER_UNIT))
}

/// Returns the extra units of a comparison of entries with the log: as many as for the longest one.
pub fn units_of_comparison() -> u64 {
    let entries = u64::try_from(MAX_COMPARED_ENTRIES).unwrap_or(u64::MAX);
    units_of_replay(MAX_REPLAYED_EVENTS).saturating_add(entries / u64::from(ENTRIES_PER_UNIT))
}

/// Returns the extra units of a page of an export: as many as for the longest one.
pub fn units_of_export() -> u64 {
    let lines = u32::try_from(MAX_EXPORTED_LINES).unwrap_or(u32::MAX);
    units_of_uncached_entries(lines).saturating_add(u64::from(MAX_EXPORT_READS / READS_PER_UNIT))
}

/// Returns the extra units of an import of this many lines.
pub fn units_of_import(lines: usize) -> u64 {
    units_of_uncached_entries(u32::try_from(lines).unwrap_or(u32::MAX))
}

/// Returns the extra units of a page of this many leaderboards' configurations, which is never cached.
pub fn units_of_listed_leaderboards(leaderboards: u32) -> u64 {
    let further = leaderboards.saturating_sub(1) / CONFIGURATIONS_PER_UNIT;
    MISS_UNITS.saturating_add(further.into())
}

impl CacheKey {
    /// Returns the extra units for the size of the response.
    pub(crate) fn units_of_size(&self) -> u64 {
        match &self.read {
            CachedRead::List(query) => units_of_size(query.limit),
            CachedRead::Around(_, _, limit) | CachedRead::Periods(_, limit) => units_of_size(*limit),
            CachedRead::Distribution(query) => units_of_size(query.buckets),
            CachedRead::Entry(..) | CachedRead::Leaderboard => 0,
        }
    }

    /// Returns the extra units of a read that asks the store. They are 0 if the entry is stored in a slot that only this key uses
    /// (`fills_own_slot`): the store is then asked once per lifetime, regardless of the number of clients. With `no-cache`, or if
    /// the entry is not stored, a miss costs as much as for any other key.
    pub(crate) fn units_of_miss(&self, fills_own_slot: bool) -> u64 {
        match self.own_slot() {
            Some(_) if fills_own_slot => 0,
            _ => MISS_UNITS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_page_costs_one_unit_more_for_each_further_hundred() {
        for (entries, units) in [(0, 0), (1, 0), (100, 0), (101, 1), (200, 1), (201, 2), (1000, 9)] {
            assert_eq!(units_of_size(entries), units, "{entries}");
            assert_eq!(
                units_of_uncached_entries(entries),
                MISS_UNITS + units,
                "{entries}"
            );
        }
        for (leaderboards, units) in [(1, 0), (10, 0), (11, 1), (50, 4), (200, 19)] {
            assert_eq!(
                units_of_listed_leaderboards(leaderboards),
                MISS_UNITS + units,
                "{leaderboards}"
            );
        }
    }
}
