//! The entries of a period in their order.

use std::collections::HashSet;

use super::kept::EntryParts;
use super::period::ProjectedPeriod;
use super::player_table::to_index;
use crate::ports::{Page, Position};
use crate::{Entry, OrderKey, PlayerId, RankedEntry, Ties};

/// The entries of a period that a caller sees, best first.
pub(super) struct View<'a> {
    pub(super) state: &'a ProjectedPeriod,
    /// The entries that are not those of the snapshot, in their order.
    changed: Vec<(OrderKey, &'a Entry)>,
    places: Vec<Place>,
}

/// Where an entry is: in the snapshot, or among those that changed since.
#[derive(Debug, Clone, Copy)]
enum Place {
    Kept(u32),
    Changed(u32),
}

impl<'a> View<'a> {
    /// Returns all entries.
    pub(super) fn of_all(state: &'a ProjectedPeriod) -> Self {
        Self::new(state, &HashSet::new(), None)
    }

    /// Returns the entries without those of banned players, but with the entry of `own`.
    pub(super) fn new(
        state: &'a ProjectedPeriod,
        banned: &HashSet<PlayerId>,
        own: Option<&PlayerId>,
    ) -> Self {
        let is_hidden = |player: &PlayerId| banned.contains(player) && own != Some(player);
        let entries = state
            .changed
            .values()
            .filter_map(|changed| changed.entry.as_ref());
        let seen = entries.filter(|entry| !is_hidden(&entry.player));
        let key = |entry: &Entry| state.layout.key(&entry.values, entry.reached_at, &entry.player);
        let mut changed: Vec<_> = seen.map(|entry| (key(entry), entry)).collect();
        changed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let replaced = state.changed.values().filter_map(|changed| changed.replaces);
        let hidden = banned.iter().filter(|player| is_hidden(player));
        let hidden = hidden.filter_map(|player| state.kept.find(&state.layout, player));
        let mut left_out: Vec<usize> = replaced.chain(hidden).collect();
        left_out.sort_unstable();
        left_out.dedup();
        let places = merge(state, &changed, &left_out);
        Self {
            state,
            changed,
            places,
        }
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn count(&self) -> u64 {
        to_count(self.len())
    }

    /// Returns the entries in their order, as a snapshot has them.
    pub(super) fn parts(&self) -> Vec<EntryParts<'_>> {
        self.places.iter().map(|place| self.parts_at(*place)).collect()
    }

    /// Returns the entry at an index.
    pub(super) fn entry(&self, index: usize) -> Option<Entry> {
        self.read(*self.places.get(index)?)
    }

    fn read(&self, place: Place) -> Option<Entry> {
        match place {
            Place::Kept(index) => self.state.kept.read(to_index(index), &self.state.layout),
            Place::Changed(index) => self
                .changed
                .get(to_index(index))
                .map(|(_, entry)| (*entry).clone()),
        }
    }

    fn parts_at(&self, place: Place) -> EntryParts<'_> {
        match place {
            Place::Kept(index) => self.state.kept.parts(to_index(index)),
            Place::Changed(index) => match self.changed.get(to_index(index)) {
                Some((key, entry)) => EntryParts {
                    key: key.as_bytes(),
                    attempts: entry.attempts,
                    metadata: entry.metadata.as_ref().map(|text| text.as_json_text().as_bytes()),
                },
                None => EntryParts::default(),
            },
        }
    }

    fn key(&self, place: Place) -> &[u8] {
        self.parts_at(place).key
    }

    /// Returns how many entries are at the beginning that `is_before` holds for.
    pub(super) fn count_before(&self, is_before: impl Fn(&[u8]) -> bool) -> usize {
        self.places.partition_point(|place| is_before(self.key(*place)))
    }

    /// Returns as many columns of a key as `length` bytes have, at most all of them.
    fn columns<'k>(&self, key: &'k [u8], length: usize) -> &'k [u8] {
        key.get(..length.min(self.state.layout.tuple_bytes()))
            .unwrap_or(key)
    }

    fn tuple<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        self.columns(key, usize::MAX)
    }

    /// Returns how many different tuples the first `end` entries have.
    fn count_tuples(&self, end: usize) -> u64 {
        let tuples = self
            .places
            .iter()
            .take(end)
            .map(|place| self.tuple(self.key(*place)));
        let mut previous = None;
        let different = tuples.filter(|tuple| previous.replace(*tuple) != Some(*tuple));
        to_count(different.count())
    }

    /// Returns the rank of an entry with this key, whether or not the list has it.
    pub(super) fn rank(&self, key: &[u8]) -> u64 {
        let tuple = self.tuple(key);
        let better = match self.state.layout.ties {
            Ties::Earliest | Ties::Latest => to_count(self.count_before(|other| other < key)),
            Ties::Shared => to_count(self.count_better(tuple)),
            Ties::Dense => self.count_tuples(self.count_better(tuple)),
        };
        better.saturating_add(1)
    }

    /// Returns how many entries have a tuple that is better than the columns in `tuple`.
    fn count_better(&self, tuple: &[u8]) -> usize {
        self.count_before(|other| self.columns(other, tuple.len()) < tuple)
    }

    /// Returns the position that entries with the columns in `tuple` have.
    pub(super) fn position(&self, tuple: &[u8]) -> Position {
        let better = self.count_better(tuple);
        let not_worse = self.count_before(|other| self.columns(other, tuple.len()) <= tuple);
        Position {
            better: to_count(better),
            equal: to_count(not_worse.saturating_sub(better)),
            better_tuples: match self.state.layout.ties {
                Ties::Dense => self.count_tuples(better),
                Ties::Earliest | Ties::Latest | Ties::Shared => to_count(better),
            },
        }
    }

    /// Returns a page of up to `limit` entries from the index `start` on.
    pub(super) fn window(&self, start: usize, limit: usize) -> Page {
        let shown = self.places.get(start..).unwrap_or_default();
        let shown = shown.get(..limit).unwrap_or(shown);
        let mut entries: Vec<RankedEntry> = Vec::with_capacity(shown.len());
        let mut previous: Option<(&[u8], u64)> = None;
        for (at, place) in (start..).zip(shown) {
            let key = self.key(*place);
            let tuple = self.tuple(key);
            let rank = match (self.state.layout.ties, previous) {
                (Ties::Earliest | Ties::Latest, Some(_)) => to_count(at).saturating_add(1),
                (Ties::Shared | Ties::Dense, Some((same, rank))) if same == tuple => rank,
                (Ties::Shared, Some(_)) => to_count(at).saturating_add(1),
                (Ties::Dense, Some((_, rank))) => rank.saturating_add(1),
                (_, None) => self.rank(key),
            };
            previous = Some((tuple, rank));
            entries.extend(self.read(*place).map(|entry| RankedEntry { rank, entry }));
        }
        let end = start.saturating_add(entries.len());
        Page {
            layout: Some(self.state.layout.clone()),
            version: self.state.version,
            count: self.count(),
            more_before: start > 0,
            more_after: end < self.len(),
            entries,
        }
    }
}

/// Merges the entries of the snapshot, without those in `left_out` (sorted, each once), with those that changed since.
fn merge(state: &ProjectedPeriod, changed: &[(OrderKey, &Entry)], left_out: &[usize]) -> Vec<Place> {
    let count = state.kept.len().saturating_add(changed.len());
    let mut places = Vec::with_capacity(count.saturating_sub(left_out.len()));
    let mut left_out = left_out.iter().copied().peekable();
    let mut next = 0;
    let mut add_kept_until = |places: &mut Vec<Place>, end: usize| {
        for index in next..end {
            if left_out.next_if_eq(&index).is_none() {
                places.extend(u32::try_from(index).map(Place::Kept));
            }
        }
        next = next.max(end);
    };
    let mut before = 0;
    for (index, (key, _)) in (0..).zip(changed) {
        before = state.kept.count_before(key.as_bytes(), before);
        add_kept_until(&mut places, before);
        places.push(Place::Changed(index));
    }
    add_kept_until(&mut places, state.kept.len());
    places
}

fn to_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
