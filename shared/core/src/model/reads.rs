//! Reads of a period, computed from the sorted list.

use std::cmp::Ordering;

use super::projection::{PeriodState, Projection};
use super::ranking::{
    compare, compare_tuples, count_different_tuples, is_better, rank_among, ranked, sorted,
};
use crate::access::Caller;
use crate::ports::{Page, PageFrom, PlayerEntries, Position, Positions, Sample};
use crate::{Entry, Layout, OrderKey, PlayerId, RankedEntry, SORTABLE_BYTES, Values, from_sortable};

/// The entries of a period that a reader sees, best first.
pub(super) struct VisibleEntries<'a> {
    state: &'a PeriodState,
    entries: Vec<&'a Entry>,
}

impl<'a> VisibleEntries<'a> {
    /// The entries that everyone sees.
    pub(super) fn of_everyone(projection: &Projection, state: &'a PeriodState) -> Self {
        Self {
            entries: projection.visible(state),
            state,
        }
    }

    /// The entries that `caller` sees. A player sees their own entry even when banned.
    pub(super) fn of_caller(caller: &Caller, projection: &Projection, state: &'a PeriodState) -> Self {
        match caller.own_player() {
            Some(own) => Self::with_player(projection, state, own),
            None => Self::of_everyone(projection, state),
        }
    }

    /// The entries that everyone would see if `player` were not banned.
    fn with_player(projection: &Projection, state: &'a PeriodState, player: &PlayerId) -> Self {
        let mut entries = projection.others(state, player);
        entries.extend(state.entries.get(player));
        Self {
            entries: sorted(&state.layout, entries.into_iter()),
            state,
        }
    }

    /// Returns the page of `limit` entries from index `start`.
    fn window(&self, start: usize, limit: usize) -> Page {
        let all = ranked(&self.state.layout, &self.entries);
        let entries: Vec<RankedEntry> = all.into_iter().skip(start).take(limit).collect();
        Page {
            layout: Some(self.state.layout.clone()),
            version: self.state.version,
            count: self.entries.len() as u64,
            more_before: start > 0,
            more_after: start + entries.len() < self.entries.len(),
            entries,
        }
    }
}

/// Returns the page of a period that has never had an entry.
pub(super) fn empty_page() -> Page {
    Page {
        layout: None,
        version: 0,
        count: 0,
        entries: Vec::new(),
        more_before: false,
        more_after: false,
    }
}

/// Returns a page. It is empty if the key does not fit the period's layout.
pub(super) fn page(visible: &VisibleEntries<'_>, from: &PageFrom, limit: usize) -> Page {
    page_from(visible, from, limit).unwrap_or_else(|| visible.window(0, 0))
}

fn page_from(visible: &VisibleEntries<'_>, from: &PageFrom, limit: usize) -> Option<Page> {
    let layout = &visible.state.layout;
    let entries = &visible.entries;
    Some(match from {
        PageFrom::Top => visible.window(0, limit),
        PageFrom::After(key) => {
            let bound = entry_at(layout, key)?;
            let before = |entry: &&&Entry| compare(layout, entry, &bound) != Ordering::Greater;
            visible.window(entries.iter().filter(before).count(), limit)
        }
        PageFrom::Before(key) => {
            let bound = entry_at(layout, key)?;
            let before = |entry: &&&Entry| compare(layout, entry, &bound) == Ordering::Less;
            let end = entries.iter().filter(before).count();
            let start = end.saturating_sub(limit);
            visible.window(start, end - start)
        }
    })
}

/// Returns an entry at the position of a key.
fn entry_at(layout: &Layout, key: &OrderKey) -> Option<Entry> {
    let (values, reached_at, player) = layout.parse(key.as_bytes())?;
    Some(Entry {
        player,
        values,
        reached_at,
        metadata: None,
        attempts: 0,
    })
}

pub(super) fn around(
    projection: &Projection,
    state: &PeriodState,
    player: &PlayerId,
    limit: usize,
    caller: &Caller,
) -> Option<Page> {
    if !state.entries.contains_key(player) || !sees(projection, caller, player) {
        return None;
    }
    let visible = VisibleEntries::with_player(projection, state, caller.own_player().unwrap_or(player));
    let at = visible.entries.iter().position(|entry| entry.player == *player)?;
    let last_start = visible.entries.len().saturating_sub(limit);
    let start = at.saturating_sub(limit / 2).min(last_start);
    Some(visible.window(start, limit))
}

fn sees(projection: &Projection, caller: &Caller, player: &PlayerId) -> bool {
    !projection.banned.contains(player) || caller.sees_banned(player)
}

pub(super) fn entries_by_player(
    projection: &Projection,
    state: &PeriodState,
    players: &[PlayerId],
    caller: &Caller,
) -> PlayerEntries {
    let found = state
        .entries
        .values()
        .filter(|entry| players.contains(&entry.player) && sees(projection, caller, &entry.player));
    let visible = VisibleEntries::of_caller(caller, projection, state);
    let entries: Vec<RankedEntry> = sorted(&state.layout, found)
        .into_iter()
        .map(|entry| {
            let mut others = visible.entries.clone();
            others.retain(|other| other.player != entry.player);
            RankedEntry {
                rank: rank_among(&state.layout, &others, entry),
                entry: entry.clone(),
            }
        })
        .collect();
    let mut count = visible.entries.len() as u64;
    if let ([_], [only]) = (players, entries.as_slice())
        && caller.is_server()
        && projection.banned.contains(&only.entry.player)
    {
        count += 1;
    }
    PlayerEntries {
        layout: Some(state.layout.clone()),
        version: state.version,
        count,
        entries,
    }
}

pub(super) fn sample(visible: &VisibleEntries<'_>, fractions: &[u16]) -> Sample {
    let last = visible.entries.len().saturating_sub(1);
    let at = |fraction: &u16| visible.entries.get(last * usize::from(*fraction) / 1000);
    Sample {
        layout: Some(visible.state.layout.clone()),
        version: visible.state.version,
        count: visible.entries.len() as u64,
        values: fractions
            .iter()
            .filter_map(at)
            .map(|entry| entry.values.clone())
            .collect(),
    }
}

pub(super) fn positions(visible: &VisibleEntries<'_>, tuples: &[Vec<u8>]) -> Positions {
    Positions {
        version: visible.state.version,
        count: visible.entries.len() as u64,
        positions: tuples
            .iter()
            .map(|bytes| position(visible, &tuple(&visible.state.layout, bytes)))
            .collect(),
    }
}

fn position(visible: &VisibleEntries<'_>, tuple: &Values) -> Position {
    let layout = &visible.state.layout;
    let mut better = visible.entries.clone();
    better.retain(|entry| is_better(layout, &entry.values, tuple));
    let equal = |entry: &&&Entry| compare_tuples(&layout.columns, &entry.values, tuple) == Ordering::Equal;
    Position {
        better: better.len() as u64,
        equal: visible.entries.iter().filter(equal).count() as u64,
        better_tuples: match layout.ties {
            crate::Ties::Dense => count_different_tuples(&better),
            _ => better.len() as u64,
        },
    }
}

/// Returns the values of the columns in `bytes`, which are the beginning of an order key.
fn tuple(layout: &Layout, bytes: &[u8]) -> Values {
    let words = bytes.chunks_exact(SORTABLE_BYTES);
    let values = layout.columns.iter().zip(words).filter_map(|(column, word)| {
        let value = from_sortable(word.try_into().ok()?);
        Some(match column.order() {
            crate::Order::Ascending => value,
            crate::Order::Descending => -1 - value,
        })
    });
    Values::new(values.collect())
}
