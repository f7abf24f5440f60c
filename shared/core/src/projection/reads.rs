//! Reads of a projection. Their parameters and results are those of [`crate::ports::Scores`].

use super::{ProjectedPeriod, Projection};
use crate::access::Caller;
use crate::ports::{Page, PageFrom, PlayerEntries, Position, Positions, Sample};
use crate::{Entry, OrderKey, PeriodId, PlayerId, RankedEntry, Ties};

/// The entries of a period that a caller sees, best first.
struct View<'a> {
    state: &'a ProjectedPeriod,
    entries: Vec<(OrderKey, &'a Entry)>,
}

impl Projection {
    /// Returns a page ([`crate::ports::Scores::page`]).
    #[must_use]
    pub fn page(&self, period: &PeriodId, from: &PageFrom, limit: u32, caller: &Caller) -> Page {
        let Some(view) = self.view(period, caller.own_player()) else {
            return Page::default();
        };
        let limit = to_index(limit);
        match from {
            PageFrom::Top => view.window(0, limit),
            PageFrom::After(key) => view.window(view.count_before(|other| other <= key), limit),
            PageFrom::Before(key) => {
                let end = view.count_before(|other| other < key);
                let start = end.saturating_sub(limit);
                view.window(start, end.saturating_sub(start))
            }
        }
    }

    /// Returns the window around a player ([`crate::ports::Scores::around`]).
    #[must_use]
    pub fn around(&self, period: &PeriodId, player: &PlayerId, limit: u32, caller: &Caller) -> Option<Page> {
        let view = self.view(period, caller.own_player().or(Some(player)))?;
        let entry = view
            .state
            .entries
            .get(player)
            .filter(|_| self.sees(caller, player))?;
        let key = view.key(entry);
        let at = view.count_before(|other| *other < key);
        let limit = to_index(limit);
        let last_start = view.entries.len().saturating_sub(limit);
        Some(view.window(at.saturating_sub(limit / 2).min(last_start), limit))
    }

    /// Returns the entries of players ([`crate::ports::Scores::entries_by_player`]).
    #[must_use]
    pub fn entries_by_player(
        &self,
        period: &PeriodId,
        players: &[PlayerId],
        caller: &Caller,
    ) -> PlayerEntries {
        let Some(view) = self.view(period, caller.own_player()) else {
            return PlayerEntries::default();
        };
        let seen = players.iter().filter(|player| self.sees(caller, player));
        let found = seen.filter_map(|player| view.state.entries.get(player));
        let mut keyed: Vec<_> = found.map(|entry| (view.key(entry), entry)).collect();
        keyed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        keyed.dedup_by(|(a, _), (b, _)| a == b);
        let entries: Vec<RankedEntry> = keyed
            .into_iter()
            .map(|(key, entry)| RankedEntry {
                rank: view.rank(&key),
                entry: entry.clone(),
            })
            .collect();
        let is_hidden = match (players, entries.as_slice()) {
            ([_], [only]) => caller.is_server() && self.banned.contains(&only.entry.player),
            _ => false,
        };
        PlayerEntries {
            layout: Some(view.state.layout.clone()),
            version: view.state.version,
            count: view.count().saturating_add(u64::from(is_hidden)),
            entries,
        }
    }

    /// Returns values at fractions of the order ([`crate::ports::Scores::sample`]).
    #[must_use]
    pub fn sample(&self, period: &PeriodId, fractions: &[u16]) -> Sample {
        let Some(view) = self.view(period, None) else {
            return Sample::default();
        };
        let last = view.entries.len().saturating_sub(1);
        let index = |fraction: &u16| last.saturating_mul(usize::from(*fraction)) / 1000;
        let found = fractions
            .iter()
            .filter_map(|fraction| view.entries.get(index(fraction)));
        Sample {
            layout: Some(view.state.layout.clone()),
            version: view.state.version,
            count: view.count(),
            values: found.map(|(_, entry)| entry.values.clone()).collect(),
        }
    }

    /// Returns positions of tuples ([`crate::ports::Scores::positions`]).
    #[must_use]
    pub fn positions(&self, period: &PeriodId, tuples: &[Vec<u8>]) -> Positions {
        let Some(view) = self.view(period, None) else {
            return Positions {
                version: 0,
                count: 0,
                positions: tuples.iter().map(|_| Position::default()).collect(),
            };
        };
        Positions {
            version: view.state.version,
            count: view.count(),
            positions: tuples.iter().map(|tuple| view.position(tuple)).collect(),
        }
    }

    /// Returns the entries of a period that everyone sees, and the entry of `own`; `None` if the period has had no entry.
    fn view(&self, period: &PeriodId, own: Option<&PlayerId>) -> Option<View<'_>> {
        let state = self.periods.get(period)?;
        let mut view = View {
            state,
            entries: Vec::with_capacity(state.entries.len()),
        };
        for entry in state.entries.values() {
            let player = &entry.player;
            if self.banned.is_empty() || own == Some(player) || !self.banned.contains(player) {
                view.entries.push((view.key(entry), entry));
            }
        }
        view.entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Some(view)
    }

    /// Returns whether `caller` sees the entry of `player`.
    fn sees(&self, caller: &Caller, player: &PlayerId) -> bool {
        !self.banned.contains(player) || caller.sees_banned(player)
    }
}

impl View<'_> {
    fn key(&self, entry: &Entry) -> OrderKey {
        self.state
            .layout
            .key(&entry.values, entry.reached_at, &entry.player)
    }

    fn count(&self) -> u64 {
        to_count(self.entries.len())
    }

    /// Returns how many entries are at the beginning that `is_before` holds for.
    fn count_before(&self, is_before: impl Fn(&OrderKey) -> bool) -> usize {
        self.entries.partition_point(|(key, _)| is_before(key))
    }

    /// Returns how many different tuples the first `end` entries have.
    fn count_tuples(&self, end: usize) -> u64 {
        let tuples = self
            .entries
            .iter()
            .take(end)
            .map(|(key, _)| self.state.layout.tuple_of(key));
        let mut previous = None;
        let different = tuples.filter(|tuple| previous.replace(*tuple) != Some(*tuple));
        to_count(different.count())
    }

    /// Returns the rank of an entry with this key, whether or not the list has it.
    fn rank(&self, key: &OrderKey) -> u64 {
        let tuple = self.state.layout.tuple_of(key);
        let better = match self.state.layout.ties {
            Ties::Earliest | Ties::Latest => to_count(self.count_before(|other| other < key)),
            Ties::Shared => to_count(self.count_better(tuple)),
            Ties::Dense => self.count_tuples(self.count_better(tuple)),
        };
        better.saturating_add(1)
    }

    /// Returns how many entries have a tuple that is better than the columns in `tuple`.
    fn count_better(&self, tuple: &[u8]) -> usize {
        self.count_before(|other| self.first_bytes(other, tuple) < tuple)
    }

    /// Returns as many bytes of a key as `tuple` has.
    fn first_bytes<'k>(&self, key: &'k OrderKey, tuple: &[u8]) -> &'k [u8] {
        let whole = self.state.layout.tuple_of(key);
        whole.get(..tuple.len()).unwrap_or(whole)
    }

    fn position(&self, tuple: &[u8]) -> Position {
        let better = self.count_better(tuple);
        let not_worse = self.count_before(|other| self.first_bytes(other, tuple) <= tuple);
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
    fn window(&self, start: usize, limit: usize) -> Page {
        let shown = self.entries.get(start..).unwrap_or_default();
        let shown = shown.get(..limit).unwrap_or(shown);
        let mut entries: Vec<RankedEntry> = Vec::with_capacity(shown.len());
        let mut previous: Option<(&[u8], u64)> = None;
        for (at, (key, entry)) in (start..).zip(shown) {
            let tuple = self.state.layout.tuple_of(key);
            let rank = match (self.state.layout.ties, previous) {
                (Ties::Earliest | Ties::Latest, Some(_)) => to_count(at).saturating_add(1),
                (Ties::Shared | Ties::Dense, Some((same, rank))) if same == tuple => rank,
                (Ties::Shared, Some(_)) => to_count(at).saturating_add(1),
                (Ties::Dense, Some((_, rank))) => rank.saturating_add(1),
                (_, None) => self.rank(key),
            };
            previous = Some((tuple, rank));
            entries.push(RankedEntry {
                rank,
                entry: (*entry).clone(),
            });
        }
        let end = start.saturating_add(entries.len());
        Page {
            layout: Some(self.state.layout.clone()),
            version: self.state.version,
            count: self.count(),
            more_before: start > 0,
            more_after: end < self.entries.len(),
            entries,
        }
    }
}

fn to_index(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn to_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
