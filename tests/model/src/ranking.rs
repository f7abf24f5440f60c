//! Order and rank by their definition: entries are sorted, and the better ones are counted.

use std::cmp::Ordering;

use leaderboard_core::{Columns, Entry, Layout, Order, RankedEntry, Ties, Values};

/// Returns the order of two entries; the better entry is less. Compares the tuples, then the times by the tie
/// policy, then the bytes of the players.
#[must_use]
pub fn compare(layout: &Layout, a: &Entry, b: &Entry) -> Ordering {
    let by_time = a.reached_at.cmp(&b.reached_at);
    compare_tuples(&layout.columns, &a.values, &b.values)
        .then(match layout.ties {
            Ties::Latest => by_time.reverse(),
            Ties::Earliest | Ties::Shared | Ties::Dense => by_time,
        })
        .then_with(|| a.player.as_bytes().cmp(b.player.as_bytes()))
}

/// Returns the order of two tuples; the better tuple is less. Compares only the columns that both tuples
/// have.
pub(crate) fn compare_tuples(columns: &Columns, a: &Values, b: &Values) -> Ordering {
    for ((column, a), b) in columns.iter().zip(a.as_slice()).zip(b.as_slice()) {
        let by_value = match column.order() {
            Order::Ascending => a.cmp(b),
            Order::Descending => b.cmp(a),
        };
        if by_value != Ordering::Equal {
            return by_value;
        }
    }
    Ordering::Equal
}

/// Returns the entries, best first.
#[must_use]
pub fn sorted<'a>(layout: &Layout, entries: impl Iterator<Item = &'a Entry>) -> Vec<&'a Entry> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|a, b| compare(layout, a, b));
    entries
}

/// Returns the rank of `entry` among `others`. It does not matter whether `others` contains `entry`.
#[must_use]
pub fn rank_among(layout: &Layout, others: &[&Entry], entry: &Entry) -> u64 {
    let above: Vec<&Entry> = others
        .iter()
        .copied()
        .filter(|other| match layout.ties {
            Ties::Earliest | Ties::Latest => compare(layout, other, entry) == Ordering::Less,
            Ties::Shared | Ties::Dense => is_better(layout, &other.values, &entry.values),
        })
        .collect();
    1 + match layout.ties {
        Ties::Earliest | Ties::Latest | Ties::Shared => above.len() as u64,
        Ties::Dense => count_different_tuples(&above),
    }
}

/// Returns all entries with their ranks, best first.
#[must_use]
pub fn ranked(layout: &Layout, entries: &[&Entry]) -> Vec<RankedEntry> {
    let sorted = sorted(layout, entries.iter().copied());
    sorted
        .iter()
        .map(|entry| RankedEntry {
            rank: rank_among(layout, &sorted, entry),
            entry: (*entry).clone(),
        })
        .collect()
}

/// Returns whether the tuple `a` is better than `b`.
pub(crate) fn is_better(layout: &Layout, a: &Values, b: &Values) -> bool {
    compare_tuples(&layout.columns, a, b) == Ordering::Less
}

/// Returns the number of different tuples of the entries.
pub(crate) fn count_different_tuples(entries: &[&Entry]) -> u64 {
    let mut tuples: Vec<&[i64]> = entries.iter().map(|entry| entry.values.as_slice()).collect();
    tuples.sort_unstable();
    tuples.dedup();
    tuples.len() as u64
}
