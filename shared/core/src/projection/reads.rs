//! Reads of a projection. Their parameters and results are those of [`crate::ports::Scores`].

use super::Projection;
use super::period::ProjectedPeriod;
use super::player_table::to_index;
use super::view::View;
use crate::access::Caller;
use crate::ports::{ListedEntry, Page, PageFrom, PlayerEntries, Position, Positions, Sample};
use crate::{Entry, Layout, OrderKey, PeriodId, PlayerId, RankedEntry};

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
            PageFrom::After(key) => {
                let start = view.count_before(|other| other <= key.as_bytes());
                view.window(start, limit)
            }
            PageFrom::Before(key) => {
                let end = view.count_before(|other| other < key.as_bytes());
                let start = end.saturating_sub(limit);
                view.window(start, end.saturating_sub(start))
            }
        }
    }

    /// Returns the window around a player ([`crate::ports::Scores::around`]).
    #[must_use]
    pub fn around(&self, period: &PeriodId, player: &PlayerId, limit: u32, caller: &Caller) -> Option<Page> {
        let view = self.view(period, caller.own_player().or(Some(player)))?;
        let entry = view.state.find(player).filter(|_| self.sees(caller, player))?;
        let key = key(&view, &entry);
        let at = view.count_before(|other| other < key.as_bytes());
        let limit = to_index(limit);
        let last_start = view.len().saturating_sub(limit);
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
        let found = seen.filter_map(|player| view.state.find(player));
        let mut keyed: Vec<_> = found.map(|entry| (key(&view, &entry), entry)).collect();
        keyed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        keyed.dedup_by(|(a, _), (b, _)| a == b);
        let ranked = keyed.into_iter().map(|(key, entry)| RankedEntry {
            rank: view.rank(key.as_bytes()),
            entry,
        });
        let entries: Vec<RankedEntry> = ranked.collect();
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
        let last = view.len().saturating_sub(1);
        let index = |fraction: &u16| last.saturating_mul(usize::from(*fraction)) / 1000;
        let found = fractions
            .iter()
            .filter_map(|fraction| view.entry(index(fraction)));
        Sample {
            layout: Some(view.state.layout.clone()),
            version: view.state.version,
            count: view.count(),
            values: found.map(|entry| entry.values).collect(),
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

    /// Returns the players with an entry in a period, in byte order.
    #[must_use]
    pub fn players(&self, period: &PeriodId) -> Vec<PlayerId> {
        let state = self.periods.get(period);
        let mut players = state.map(ProjectedPeriod::players).unwrap_or_default();
        players.sort_unstable();
        players
    }

    /// Returns a player's entry in a period, and whether the player is banned.
    #[must_use]
    pub fn listed_entry(&self, period: &PeriodId, player: &PlayerId) -> Option<ListedEntry> {
        let entry = self.periods.get(period)?.find(player)?;
        Some(ListedEntry {
            is_banned: self.banned.contains(player),
            entry,
        })
    }

    /// Returns the layout of a period that has had an entry.
    #[must_use]
    pub fn layout(&self, period: &PeriodId) -> Option<&Layout> {
        self.periods.get(period).map(|state| &state.layout)
    }

    /// Returns the entries of a period that everyone sees, and the entry of `own`; `None` if the period has had no entry.
    fn view(&self, period: &PeriodId, own: Option<&PlayerId>) -> Option<View<'_>> {
        let state = self.periods.get(period)?;
        Some(View::new(state, &self.banned, own))
    }

    /// Returns whether `caller` sees the entry of `player`.
    fn sees(&self, caller: &Caller, player: &PlayerId) -> bool {
        !self.banned.contains(player) || caller.sees_banned(player)
    }
}

fn key(view: &View<'_>, entry: &Entry) -> OrderKey {
    view.state
        .layout
        .key(&entry.values, entry.reached_at, &entry.player)
}
