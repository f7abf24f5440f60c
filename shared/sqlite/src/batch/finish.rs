//! Writes the planned changes of a batch: entries, tuples, events, idempotency records, periods and leaderboards.

use std::collections::BTreeMap;

use leaderboard_core::codec::encode_outcome;
use leaderboard_core::ports::{RankDetail, SubmissionResult};
use leaderboard_core::{Outcome, PeriodId, Previous, Refusal, StoreError};

use super::ranks::{WriteRanks, rank_writes};
use super::{BatchLeaderboard, PlannedOutcome, PlannedWrite, SubmissionBatch};
use crate::periods::{self, PeriodRow};
use crate::retention::{self, AppendedEvents};
use crate::writes::PendingWrites;
use crate::{ids, sweep, tuples};

impl SubmissionBatch<'_> {
    /// Adds the changes of the batch to `saved`, trims the logs, and returns the result of each submission. Creates periods and
    /// saves the counts of tuples at once, because what follows reads them.
    pub(crate) fn finish(
        mut self,
        saved: &mut PendingWrites,
        max_log_bytes: Option<u64>,
        decided: Vec<Result<Vec<PlannedOutcome>, Refusal>>,
    ) -> Result<Vec<SubmissionResult>, StoreError> {
        self.create_periods()?;
        let ranks = self.rank_and_save_tuples()?;
        let outcomes: Vec<Outcome> = self
            .writes
            .iter()
            .enumerate()
            .map(|(index, write)| outcome_of(write, ranks.get(&index)))
            .collect();
        self.save_entries(saved);
        self.save_records(saved, &outcomes);
        for used in self.periods.values().filter(|used| used.changed) {
            periods::save(self.session, saved, &used.period)?;
            if used.reopened {
                periods::reopen(self.session, used.period.row)?;
            }
        }
        self.finish_logs(saved, max_log_bytes)?;
        Ok(decided
            .into_iter()
            .map(|planned| Ok(take_outcomes(planned?, &outcomes)))
            .collect())
    }

    /// Creates the periods that have their first entry.
    fn create_periods(&mut self) -> Result<(), StoreError> {
        for ((board, id), used) in &mut self.periods {
            let Some((leaderboard, bounds)) = used.created.take() else {
                continue;
            };
            let found = self.leaderboards.get(&leaderboard).and_then(Option::as_ref);
            if found.is_some_and(|found| found.leaves_expired) {
                sweep::discard_expired_period(self.session, *board, id)?;
            }
            used.period.row = periods::create(self.session, *board, &bounds, &used.period)?;
        }
        Ok(())
    }

    /// Returns the ranks of the planned writes by their index, and saves the counts of tuples.
    fn rank_and_save_tuples(&self) -> Result<BTreeMap<usize, WriteRanks>, StoreError> {
        let mut by_period: BTreeMap<(i64, PeriodId), Vec<usize>> = BTreeMap::new();
        for (index, write) in self.writes.iter().enumerate() {
            by_period.entry(write.period_key()).or_default().push(index);
        }
        let mut ranks = BTreeMap::new();
        for (key, indexes) in by_period {
            let Some(used) = self.periods.get(&key) else {
                continue;
            };
            let writes: Vec<_> = indexes
                .iter()
                .filter_map(|index| self.writes.get(*index))
                .collect();
            let wants_ranks = writes.iter().any(|write| write.ranks == RankDetail::Full);
            if !wants_ranks && !used.period.keeps_tuples() {
                continue;
            }
            let stored = PeriodRow {
                visible: used.visible_before,
                ..used.period.clone()
            };
            let (of_writes, added) = rank_writes(self.session, &stored, &writes)?;
            if used.period.keeps_tuples() {
                tuples::add_many(self.session, stored.row, &added)?;
            }
            ranks.extend(indexes.into_iter().zip(of_writes));
        }
        Ok(ranks)
    }

    /// Adds each changed entry to `saved`, as its last write left it.
    fn save_entries(&self, saved: &mut PendingWrites) {
        // In the order of the table, so that neighbouring rows are written together.
        let ordered: BTreeMap<_, _> = self.entries.iter().collect();
        for ((board, period, _), index) in ordered {
            let period = self.periods.get(&(*board, period.clone()));
            if let Some((used, write)) = period.zip(self.writes.get(*index)) {
                saved.save_entry(used.period.row, &write.decision.entry, &write.key, write.banned);
            }
        }
    }

    /// Adds the idempotency records to `saved`.
    fn save_records(&self, saved: &mut PendingWrites, outcomes: &[Outcome]) {
        // In the order of the table, too. If a name occurs twice, the first record has expired.
        let mut ordered = BTreeMap::new();
        for (write, outcome) in self.writes.iter().zip(outcomes) {
            if let Some(name) = write.submission.record_name() {
                ordered.insert((write.board, name), (write.submission, outcome));
            }
        }
        for ((board, name), (submission, outcome)) in ordered {
            saved.save_record(board, &name, submission, &encode_outcome(outcome));
        }
    }

    /// Returns by how many bytes the tenant's logs and records, including those of this batch, exceed `max_log_bytes`.
    fn overweight(&self, max_log_bytes: Option<u64>) -> u64 {
        let Some(max_log_bytes) = max_log_bytes.filter(|_| !self.events.is_empty()) else {
            return 0;
        };
        let weight = self
            .record_bytes()
            .saturating_add(self.weights.events)
            .saturating_add(self.events.total_weight());
        weight.saturating_sub(max_log_bytes)
    }

    /// Adds the events to `saved`, counts them and the records, and deletes what is no longer kept.
    fn finish_logs(self, saved: &mut PendingWrites, max_log_bytes: Option<u64>) -> Result<(), StoreError> {
        let session = self.session;
        let mut over = self.overweight(max_log_bytes);
        let weights = self.events.weights();
        self.events.add_to(saved);
        let mut anything_to_sweep = false;
        for BatchLeaderboard {
            board,
            first_position,
            ids,
            record_bytes,
            ..
        } in self.leaderboards.into_values().flatten()
        {
            if board.last_position != first_position {
                let appended = AppendedEvents {
                    first: first_position.saturating_add(1),
                    last: board.last_position,
                    weight: weights.get(&board.row).copied().unwrap_or_default(),
                    now: self.now,
                };
                let log = (board.row, &board.log);
                let freed = retention::finish_append(session, saved, log, &appended, over)?;
                over = over.saturating_sub(freed);
            }
            if ids > 0 {
                saved.add_record_weight(board.row, retention::find_span(self.now), record_bytes);
                if board.has_expired_records {
                    ids::prune(session, board.row, self.now, ids)?;
                }
            }
            anything_to_sweep |= board.has_expired || board.has_discarded;
        }
        if anything_to_sweep {
            sweep::delete_some(session)?;
        }
        Ok(())
    }
}

fn outcome_of(write: &PlannedWrite<'_>, ranks: Option<&WriteRanks>) -> Outcome {
    let ranks = ranks.filter(|_| write.ranks == RankDetail::Full);
    let target = write.target;
    Outcome {
        leaderboard: target.leaderboard.value.id.clone(),
        period: target.period.id.clone(),
        player: write.submission.player.clone(),
        status: write.decision.status,
        columns: Some(target.leaderboard.value.columns.clone()),
        values: write.decision.entry.values.clone(),
        rank: ranks.map(|ranks| ranks.rank),
        previous: write.existing.as_ref().map(|before| Previous {
            values: before.entry.values.clone(),
            rank: ranks.and_then(|ranks| ranks.previous),
        }),
        version: write.version,
        replayed: false,
    }
}

/// Returns the outcomes of a submission. `written` has those of all planned writes.
fn take_outcomes(planned: Vec<PlannedOutcome>, written: &[Outcome]) -> Vec<Outcome> {
    let outcomes = planned.into_iter().filter_map(|planned| match planned {
        PlannedOutcome::Recorded(outcome) => Some(*outcome),
        PlannedOutcome::Written(index) => written.get(index).cloned(),
        PlannedOutcome::Repeated(index) => written.get(index).map(|outcome| Outcome {
            replayed: true,
            ..outcome.clone()
        }),
    });
    outcomes.collect()
}
