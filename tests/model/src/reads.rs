//! Reads of a period. Each result is computed from the sorted list.

use std::cmp::Ordering;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Page, PageFrom, PlayerEntries, Position, Positions, Sample};
use leaderboard_core::{
    Entry, Layout, OrderKey, PlayerId, RankedEntry, SORTABLE_BYTES, Values, decode_sortable,
};

use crate::projection::{PeriodState, Projection};
use crate::ranking::{
    compare, compare_tuples, count_different_tuples, is_better, rank_among, ranked, sorted,
};

/// The entries of one period that a caller sees, best first.
pub(crate) struct VisibleEntries<'a> {
    state: &'a PeriodState,
    entries: Vec<&'a Entry>,
}

impl<'a> VisibleEntries<'a> {
    /// Returns the entries that everyone sees.
    pub(crate) fn of(projection: &Projection, state: &'a PeriodState) -> Self {
        Self {
            entries: projection.visible(state),
            state,
        }
    }

    /// Returns the entries that `caller` sees. A banned player sees the own entry.
    pub(crate) fn seen_by(caller: &Caller, projection: &Projection, state: &'a PeriodState) -> Self {
        match caller.own_player() {
            Some(own) => Self::with_player(projection, state, own),
            None => Self::of(projection, state),
        }
    }

    /// Returns the entries that everyone sees and the entry of `player`, even if the player is banned.
    fn with_player(projection: &Projection, state: &'a PeriodState, player: &PlayerId) -> Self {
        let mut entries = projection.others(state, player);
        entries.extend(state.entries.get(player));
        Self {
            entries: sorted(&state.layout, entries.into_iter()),
            state,
        }
    }

    /// Returns a page of up to `limit` entries from the index `start` on.
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

/// Returns a page. The page is empty if the key in `from` does not belong to the period's layout.
pub(crate) fn page(visible: &VisibleEntries<'_>, from: &PageFrom, limit: usize) -> Page {
    page_from(visible, from, limit).unwrap_or_else(|| visible.window(0, 0))
}

/// Returns a page; `None` if the key in `from` does not belong to the period's layout.
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

/// Returns an entry with this order key; `None` if the key does not belong to the layout.
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

pub(crate) fn around(
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

/// Returns whether `caller` sees the entry of `player`.
fn sees(projection: &Projection, caller: &Caller, player: &PlayerId) -> bool {
    !projection.banned.contains(player) || caller.sees_banned(player)
}

pub(crate) fn entries_by_player(
    projection: &Projection,
    state: &PeriodState,
    players: &[PlayerId],
    caller: &Caller,
) -> PlayerEntries {
    let found = state
        .entries
        .values()
        .filter(|entry| players.contains(&entry.player) && sees(projection, caller, &entry.player));
    let visible = VisibleEntries::seen_by(caller, projection, state);
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

pub(crate) fn sample(visible: &VisibleEntries<'_>, fractions: &[u16]) -> Sample {
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

pub(crate) fn positions(visible: &VisibleEntries<'_>, tuples: &[Vec<u8>]) -> Positions {
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
            leaderboard_core::Ties::Dense => count_different_tuples(&better),
            _ => better.len() as u64,
        },
    }
}

/// Returns the values of the columns that are complete in `bytes`, which are the first bytes of an order key.
fn tuple(layout: &Layout, bytes: &[u8]) -> Values {
    let chunks = bytes.chunks_exact(SORTABLE_BYTES);
    let values = layout.columns.iter().zip(chunks).filter_map(|(column, chunk)| {
        let value = decode_sortable(chunk.try_into().ok()?);
        Some(match column.order() {
            leaderboard_core::Order::Ascending => value,
            leaderboard_core::Order::Descending => -1 - value,
        })
    });
    Values::new(values.collect())
}
