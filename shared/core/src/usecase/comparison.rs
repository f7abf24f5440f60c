//! Compares the entries of a period with a replay of the event log, and corrects them, while other writers submit.
//!
//! A batch of stored entries comes with the position of the newest event at the same moment. The projection is brought to exactly this
//! position before the comparison, so a difference is damage, and never a submission that came in between. A correction is applied only
//! if the entry is still the one that was compared.

mod cursor;

use std::collections::HashSet;

use super::leaderboard_memory::SharedLeaderboard;
use super::query::{QueryError, ReadFailure, read_with_current, refer_to_period, resolve_period};
use super::replay::{ReplayPlan, advance, replay_all};
use super::{Deps, Store};
use crate::access::Caller;
use crate::ports::{
    Cache, Correction, EntryRepair, Events, ListedEntry, MAX_COMPARED_PLAYERS, PeriodRef, Snapshots,
    StoredEntry,
};
use crate::{LeaderboardId, Period, PeriodSelector, PlayerId, Projection, StoreError};

pub use cursor::ComparisonCursor;

/// The most entries that one request compares.
pub const MAX_COMPARED_ENTRIES: usize = 20_000;
/// The most differences that a comparison names.
pub const MAX_NAMED_DIFFERENCES: usize = 20;
/// How often a request compares a batch of entries again after it corrected them, because some of them changed in between.
const MAX_CORRECTION_TRIES: u32 = 4;
/// The most steps of one request. Each compares up to [`MAX_COMPARED_PLAYERS`], or scans about as many places of the store.
const MAX_STEPS: usize = MAX_COMPARED_ENTRIES / MAX_COMPARED_PLAYERS;

/// What to compare.
#[derive(Debug, Clone)]
pub struct ComparisonQuery {
    /// The period.
    pub period: PeriodSelector,
    /// Where the comparison continues; `None` from the beginning.
    pub after: Option<ComparisonCursor>,
    /// Whether the entries are corrected.
    pub swap: bool,
}

/// How an entry differs from the replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The store has no entry.
    Missing,
    /// The store has an entry that no event made.
    Unexpected,
    /// The store has another entry, or one that cannot be read.
    Changed,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The period.
    pub period: Period,
    /// The position of the last event in the replay.
    pub position: u64,
    /// The number of entries of the period by the replay, and how many of them were compared so far, in all requests.
    pub entries: u64,
    /// See `entries`.
    pub compared: u64,
    /// How many entries differed in this request.
    pub differences: u64,
    /// How many of them were corrected.
    pub corrected: u64,
    /// The first of them.
    pub named: Vec<(PlayerId, DifferenceKind)>,
    /// How many places of lists had no entry, and were removed if the entries are corrected.
    pub strays: u64,
    /// Where the next request continues; `None` if this one reached the end.
    pub next: Option<ComparisonCursor>,
}

/// The state of a comparison.
struct Comparing<'a, 'd, S, K> {
    deps: &'a Deps<'d, S, K>,
    plan: ReplayPlan,
    projection: Projection,
    swap: bool,
    found: Comparison,
}

/// Compares up to [`MAX_COMPARED_ENTRIES`] entries of a period with a replay of the log: first those of players who have one by the
/// replay, then those that the store has besides.
///
/// # Errors
/// [`QueryError`]; as for [`super::replay`] if the log cannot be replayed.
pub async fn compare_entries<S: Store + Events + Snapshots + EntryRepair, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    query: &ComparisonQuery,
    max_log_bytes: Option<u64>,
) -> Result<Comparison, QueryError> {
    read_with_current(deps, id, &Caller::Admin, async |board| {
        let period = resolve_period(deps, &board.value, &query.period).await?;
        let (plan, projection) = replay_all(deps, board, max_log_bytes).await?;
        let players = projection.players(&period.id);
        let (begin, scan_from) = match &query.after {
            None => (0, Vec::new()),
            Some(ComparisonCursor::After(after)) => {
                (players.partition_point(|player| player <= after), Vec::new())
            }
            Some(ComparisonCursor::Others(from)) => (players.len(), from.clone()),
        };
        let rest = players.get(begin..).unwrap_or_default();
        let compared = rest.get(..MAX_COMPARED_ENTRIES).unwrap_or(rest);
        let is_last = compared.len() == rest.len();
        let mut comparing = Comparing {
            deps,
            plan,
            projection,
            swap: query.swap,
            found: Comparison {
                period: period.clone(),
                position: 0,
                entries: to_count(players.len()),
                compared: to_count(begin.saturating_add(compared.len())),
                differences: 0,
                corrected: 0,
                named: Vec::new(),
                strays: 0,
                next: compared.last().cloned().map(ComparisonCursor::After),
            },
        };
        let period_ref = refer_to_period(deps, board, &period);
        let mut steps_left = MAX_STEPS;
        for batch in compared.chunks(MAX_COMPARED_PLAYERS) {
            comparing.compare(board, &period_ref, batch).await?;
            steps_left = steps_left.saturating_sub(1);
        }
        if is_last {
            let next = comparing.compare_others(board, &period_ref, scan_from, steps_left);
            comparing.found.next = next.await?.map(ComparisonCursor::Others);
        }
        comparing.found.position = comparing.projection.position();
        Ok(comparing.found)
    })
    .await
}

impl<S: Store + Events + Snapshots + EntryRepair, K: Cache> Comparing<'_, '_, S, K> {
    /// Compares the entries of some players, and corrects them.
    async fn compare(
        &mut self,
        board: &SharedLeaderboard,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<(), ReadFailure> {
        let mut counted = HashSet::new();
        for _ in 0..MAX_CORRECTION_TRIES {
            let stored = self.deps.store.read_stored_entries(period_ref, players).await?;
            advance(self.deps, &self.plan, &mut self.projection, stored.position).await?;
            let is_same_layout = stored.layout.as_ref() == self.projection.layout(period_ref.period);
            if !is_same_layout && stored.layout.is_some() {
                let id = &board.value.id;
                let cause = format!("the order of the period {} of {id}", period_ref.period);
                return Err(StoreError::Corrupt(cause).into());
            }
            let right: Vec<_> = players
                .iter()
                .map(|player| self.projection.listed_entry(period_ref.period, player))
                .collect();
            let mut corrections = Vec::new();
            for ((player, right), (found, fingerprint)) in players.iter().zip(&right).zip(&stored.entries) {
                let Some(kind) = find_difference(found, right.as_ref()) else {
                    continue;
                };
                if counted.insert(player) {
                    self.found.differences = self.found.differences.saturating_add(1);
                    if self.found.named.len() < MAX_NAMED_DIFFERENCES {
                        self.found.named.push((player.clone(), kind));
                    }
                }
                corrections.push(Correction {
                    player,
                    fingerprint,
                    right: right.as_ref(),
                });
            }
            let Some(layout) = stored.layout.filter(|_| self.swap && !corrections.is_empty()) else {
                return Ok(());
            };
            let store = self.deps.store;
            let corrected = store.correct_entries(period_ref, &layout, &corrections).await?;
            self.found.corrected = self.found.corrected.saturating_add(corrected);
            if corrected == to_count(corrections.len()) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Compares the entries of players who have none by the replay, from a place of the scan on. Returns where the scan continues; `None`
    /// after its end.
    async fn compare_others(
        &mut self,
        board: &SharedLeaderboard,
        period_ref: &PeriodRef<'_>,
        mut from: Vec<u8>,
        mut steps_left: usize,
    ) -> Result<Option<Vec<u8>>, ReadFailure> {
        while steps_left > 0 {
            let scanned = self
                .deps
                .store
                .scan_stored_players(period_ref, &from, self.swap)
                .await?;
            steps_left = steps_left.saturating_sub(1);
            self.found.strays = self.found.strays.saturating_add(scanned.strays);
            let is_unknown =
                |player: &PlayerId| self.projection.listed_entry(period_ref.period, player).is_none();
            let unknown: Vec<_> = scanned.players.into_iter().filter(is_unknown).collect();
            for batch in unknown.chunks(MAX_COMPARED_PLAYERS) {
                self.compare(board, period_ref, batch).await?;
                steps_left = steps_left.saturating_sub(1);
            }
            match scanned.next {
                Some(next) => from = next,
                None => return Ok(None),
            }
        }
        Ok(Some(from))
    }
}

/// Returns how a stored entry differs from the entry of the replay; `None` if it does not.
fn find_difference(found: &StoredEntry, right: Option<&ListedEntry>) -> Option<DifferenceKind> {
    match (found, right) {
        (StoredEntry::Absent, None) => None,
        (StoredEntry::Absent, Some(_)) => Some(DifferenceKind::Missing),
        (StoredEntry::Present(found), Some(right)) if found == right => None,
        (_, None) => Some(DifferenceKind::Unexpected),
        (_, Some(_)) => Some(DifferenceKind::Changed),
    }
}

fn to_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
