//! What a read costs beyond the one unit that it is let through with.

use super::cache_key::{CacheKey, CachedRead};

/// What it costs more to ask the store than to use an answer again.
const MISS_UNITS: u64 = 2;
/// What it costs more to ask the store which period a name stands for.
pub(crate) const NAME_UNITS: u64 = 1;
/// Of so many entries, players or periods, the first are part of the one unit, and each further lot costs one more.
const ENTRIES_PER_UNIT: u32 = 100;

/// Of so many configurations on a page, the first are part of what a miss costs, and each further lot costs one unit more: a
/// configuration is as large as ten entries.
const CONFIGURATIONS_PER_UNIT: u32 = 10;

/// What an answer of so many entries costs more than a small one, whether it is used again or made.
pub(crate) fn units_of_size(entries: u32) -> u64 {
    u64::from(entries.saturating_sub(1) / ENTRIES_PER_UNIT)
}

/// What an answer of so many entries costs more that is made for one request alone.
pub fn units_made_alone(entries: u32) -> u64 {
    MISS_UNITS.saturating_add(units_of_size(entries))
}

/// What a page of so many leaderboards' configurations costs more than the one unit: it is made for one request alone.
pub fn units_of_listed(leaderboards: u32) -> u64 {
    let further = leaderboards.saturating_sub(1) / CONFIGURATIONS_PER_UNIT;
    MISS_UNITS.saturating_add(further.into())
}

impl CacheKey {
    /// What its answer costs more than a small one.
    pub fn units_of_size(&self) -> u64 {
        match &self.read {
            CachedRead::List(query) => units_of_size(query.limit),
            CachedRead::Around(_, _, limit) | CachedRead::Periods(_, limit) => units_of_size(*limit),
            CachedRead::Distribution(query) => units_of_size(query.buckets),
            CachedRead::Entry(..) | CachedRead::Leaderboard => 0,
        }
    }

    /// What it costs more when the store is request. Nothing where that fills a place of the answer's own in the region
    /// (`fills_its_place`): it is made once in its lifetime, however many ask. What a client wants made for itself, and what is
    /// not kept, costs as much as a miss of any other answer.
    pub fn units_of_a_miss(&self, fills_its_place: bool) -> u64 {
        match self.own_place() {
            Some(_) if fills_its_place => 0,
            _ => MISS_UNITS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_page_costs_a_unit_more_for_each_further_hundred() {
        for (entries, units) in [(0, 0), (1, 0), (100, 0), (101, 1), (200, 1), (201, 2), (1000, 9)] {
            assert_eq!(units_of_size(entries), units, "{entries}");
            assert_eq!(units_made_alone(entries), MISS_UNITS + units, "{entries}");
        }
        for (leaderboards, units) in [(1, 0), (10, 0), (11, 1), (50, 4), (200, 19)] {
            assert_eq!(
                units_of_listed(leaderboards),
                MISS_UNITS + units,
                "{leaderboards}"
            );
        }
    }
}
