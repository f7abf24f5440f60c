//! The ranks of the planned writes of one period: counts of the stored rows, corrected by the earlier writes of the batch.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use leaderboard_core::{OrderKey, StoreError};

use super::PlannedWrite;
use crate::counting::{count_before_each, counted_for_ranks, rank_bound};
use crate::periods::PeriodRow;
use crate::rank_blocks::CountedBy;
use crate::session::Session;
use crate::tuples;

/// The ranks of an entry after and before a write.
#[derive(Debug, Clone, Copy)]
pub(super) struct WriteRanks {
    pub(super) rank: u64,
    pub(super) previous: Option<u64>,
}

/// The rows of a period that ranks count, with the writes of the batch so far.
struct CountedRows<'a> {
    /// How many stored rows are before each bound.
    before: BTreeMap<&'a [u8], u64>,
    /// The rows that came (1) and went (-1) since, by their key.
    changes: BTreeMap<&'a [u8], i64>,
    /// How many visible entries have each tuple that a write touches.
    tuples: BTreeMap<Vec<u8>, i64>,
}

/// How many entries tuples have more or less.
pub(super) type TupleChanges = BTreeMap<Vec<u8>, i64>;

/// Computes the ranks of the writes, in their order, and how many entries each touched tuple has more or less after them. `stored`
/// is the period when the batch began. The tables still have the entries from before the batch.
pub(super) fn rank_writes<'a>(
    session: &Session<'_>,
    stored: &PeriodRow,
    writes: &[&'a PlannedWrite<'a>],
) -> Result<(Vec<WriteRanks>, TupleChanges), StoreError> {
    let counted = counted_for_ranks(stored);
    let keys = || {
        writes
            .iter()
            .flat_map(|write| old_key(write).into_iter().chain([&write.key]))
    };
    let bounds: BTreeSet<&[u8]> = keys().map(|key| rank_bound(stored, key)).collect();
    let bounds: Vec<_> = bounds.into_iter().collect();
    let counts = count_before_each(session, counted, stored, &bounds)?;
    let stored_tuples = if counted == CountedBy::Tuples {
        tuples::count_entries(session, stored.row, &bounds)?
    } else {
        BTreeMap::new()
    };
    let mut rows = CountedRows {
        before: bounds.into_iter().zip(counts).collect(),
        changes: BTreeMap::new(),
        tuples: stored_tuples.clone(),
    };
    let ranks = writes
        .iter()
        .map(|write| {
            let ranks = rows.rank_write(stored, counted, write);
            rows.apply(stored, counted, write);
            ranks
        })
        .collect();
    let mut added = rows.tuples;
    for (tuple, before) in stored_tuples {
        *added.entry(tuple).or_default() -= before;
    }
    added.retain(|_, more| *more != 0);
    Ok((ranks, added))
}

fn old_key<'a>(write: &'a PlannedWrite<'a>) -> Option<&'a OrderKey> {
    write.existing.as_ref().map(|existing| &existing.key)
}

impl<'a> CountedRows<'a> {
    fn count_before(&self, bound: &[u8]) -> u64 {
        let stored = self.before.get(bound).copied().unwrap_or_default();
        let changed: i64 = self
            .changes
            .range::<[u8], _>((Bound::Unbounded, Bound::Excluded(bound)))
            .map(|(_, more)| more)
            .sum();
        stored.saturating_add_signed(changed)
    }

    /// Returns the ranks of a write that has not been applied. A banned player gets the ranks that the player would have without
    /// the ban.
    fn rank_write(&self, period: &PeriodRow, counted: CountedBy, write: &PlannedWrite<'_>) -> WriteRanks {
        let new = rank_bound(period, &write.key);
        let mut before_new = self.count_before(new);
        let old = old_key(write).map(|key| rank_bound(period, key));
        // The entry was counted at its better position and leaves it, unless other entries have the same tuple.
        if let Some(old) = old
            && old < new
            && !write.banned
            && (counted == CountedBy::Entries || self.tuples.get(old) == Some(&1))
        {
            before_new = before_new.saturating_sub(1);
        }
        WriteRanks {
            rank: before_new.saturating_add(1),
            previous: old.map(|old| self.count_before(old).saturating_add(1)),
        }
    }

    /// Moves the entry of a write.
    fn apply(&mut self, period: &PeriodRow, counted: CountedBy, write: &'a PlannedWrite<'a>) {
        if write.banned {
            return;
        }
        match counted {
            CountedBy::Entries => {
                if let Some(old) = old_key(write) {
                    *self.changes.entry(old.as_bytes()).or_default() -= 1;
                }
                *self.changes.entry(write.key.as_bytes()).or_default() += 1;
            }
            CountedBy::Tuples => {
                if let Some(old) = old_key(write) {
                    self.change_tuple(period.layout.tuple_of(old), -1);
                }
                self.change_tuple(period.layout.tuple_of(&write.key), 1);
            }
        }
    }

    fn change_tuple(&mut self, tuple: &'a [u8], more: i64) {
        let entries = self.tuples.entry(tuple.to_vec()).or_default();
        let had_row = *entries > 0;
        *entries += more;
        let has_row = *entries > 0;
        *self.changes.entry(tuple).or_default() += i64::from(has_row) - i64::from(had_row);
    }
}
