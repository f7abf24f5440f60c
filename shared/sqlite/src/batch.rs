//! The state of one transaction of submissions: leaderboards, periods, and rows to write at its end.

use std::collections::HashMap;

use leaderboard_core::{
    Event, LeaderboardId, Outcome, PeriodId, PreparedSubmission, Status, StoreError, Target, TenantId,
    Timestamp,
};

use crate::boards::{self, LeaderboardRow};
use crate::periods::{self, PeriodRow};
use crate::retention::{self, AppendedEvents, LogWeights};
use crate::session::Session;
use crate::{ids, log, sweep, usage};

/// A leaderboard in the batch.
#[derive(Debug)]
struct BatchLeaderboard {
    board: LeaderboardRow,
    /// The position of the leaderboard's last event when the batch began.
    first_position: u64,
    /// How many idempotency records the batch has added.
    ids: usize,
    /// Whether expired periods may still exist.
    leaves_expired: bool,
    /// The weight of the added idempotency records, in bytes.
    record_bytes: u64,
}

/// A period in the batch.
#[derive(Debug)]
struct BatchPeriod {
    period: PeriodRow,
    changed: bool,
}

/// The submissions of one call.
pub(crate) struct SubmissionBatch<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) tenant: &'a TenantId,
    now: Timestamp,
    boards: HashMap<LeaderboardId, Option<BatchLeaderboard>>,
    periods: HashMap<(i64, PeriodId), BatchPeriod>,
    events: log::PendingEvents,
    ids: ids::PendingRecords,
    /// The number of the tenant's entries when the batch began; `None` until it is read.
    tenant_entries: Option<u64>,
    /// How many entries the batch has created.
    created: u64,
    /// The weight of the tenant's logs and records when the batch began; `None` until it is read.
    weights: Option<LogWeights>,
    /// The weight of the idempotency records that the batch has created, in bytes.
    new_record_bytes: u64,
    /// How many more expired periods the batch may discard.
    discards: u64,
}

impl<'a> SubmissionBatch<'a> {
    pub(crate) fn new(session: &'a Session<'a>, tenant: &'a TenantId, now: Timestamp) -> Self {
        Self {
            session,
            tenant,
            now,
            boards: HashMap::new(),
            periods: HashMap::new(),
            events: log::PendingEvents::default(),
            ids: ids::PendingRecords::default(),
            tenant_entries: None,
            created: 0,
            weights: None,
            new_record_bytes: 0,
            discards: sweep::EXPIRED_PER_STEP,
        }
    }

    /// Returns the number of the tenant's entries in all kept periods.
    pub(crate) async fn tenant_entries(&mut self) -> Result<u64, StoreError> {
        let before = match self.tenant_entries {
            Some(before) => before,
            // The batch writes its changes at its end, so this counts the entries from before.
            None => {
                usage::entry_quota(self.session, self.tenant, self.now)
                    .await?
                    .entries
            }
        };
        self.tenant_entries = Some(before);
        Ok(before.saturating_add(self.created))
    }

    /// Returns the weight of the tenant's idempotency records.
    pub(crate) async fn record_bytes(&mut self) -> Result<u64, StoreError> {
        let before = self.weights().await?.records;
        Ok(before.saturating_add(self.new_record_bytes))
    }

    async fn weights(&mut self) -> Result<LogWeights, StoreError> {
        let weights = match self.weights {
            Some(weights) => weights,
            None => retention::read_weights(self.session, self.tenant, self.now).await?,
        };
        self.weights = Some(weights);
        Ok(weights)
    }

    /// Counts the status of an applied target.
    pub(crate) fn count(&mut self, status: Status) {
        if status == Status::Created {
            self.created = self.created.saturating_add(1);
        }
    }

    /// Returns the row of a leaderboard, or `None` if its configuration is not the one of the target.
    pub(crate) async fn board(&mut self, target: &Target) -> Result<Option<i64>, StoreError> {
        let id = &target.board.value.id;
        if !self.boards.contains_key(id) {
            let found = boards::find_up_to_date(self.session, self.tenant, id, self.now).await?;
            if let Some(board) = found.as_ref().filter(|board| board.has_expired)
                && self.discards > 0
            {
                let done = sweep::discard_expired(self.session, board.row, self.now, self.discards).await?;
                self.discards = self.discards.saturating_sub(done);
            }
            let used = found.map(|board| BatchLeaderboard {
                first_position: board.last_position,
                leaves_expired: board.has_expired && self.discards == 0,
                board,
                ids: 0,
                record_bytes: 0,
            });
            self.boards.insert(id.clone(), used);
        }
        let used = self.boards.get(id).and_then(Option::as_ref);
        Ok(used
            .filter(|used| used.board.version == target.board.version)
            .map(|used| used.board.row))
    }

    /// Returns a period, if it has ever had an entry.
    pub(crate) async fn period(
        &mut self,
        board: i64,
        id: &PeriodId,
    ) -> Result<Option<&PeriodRow>, StoreError> {
        let key = (board, id.clone());
        if !self.periods.contains_key(&key)
            && let Some(period) = periods::find(self.session, board, id, self.now).await?
        {
            let changed = false;
            self.periods.insert(key.clone(), BatchPeriod { period, changed });
        }
        Ok(self.periods.get(&key).map(|used| &used.period))
    }

    /// Returns the target's period, and creates it if necessary. The caller's changes are written at the end of the batch.
    pub(crate) async fn period_for_writing(
        &mut self,
        board: i64,
        target: &Target,
    ) -> Result<&mut PeriodRow, StoreError> {
        let key = (board, target.period.id.clone());
        let used = match self.periods.entry(key) {
            std::collections::hash_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let layout = target.board.value.layout();
                let used = self.boards.get(&target.board.value.id).and_then(Option::as_ref);
                if used.is_some_and(|used| used.leaves_expired) {
                    sweep::discard_expired_period(self.session, board, &target.period.id).await?;
                }
                let period =
                    periods::create(self.session, board, &target.period, target.expires_at, layout).await?;
                place.insert(BatchPeriod {
                    period,
                    changed: true,
                })
            }
        };
        used.changed = true;
        used.period.expires_at = target.expires_at;
        Ok(&mut used.period)
    }

    /// Returns the position for the next event of a leaderboard, and reserves it.
    pub(crate) fn take_position(&mut self, id: &LeaderboardId) -> u64 {
        match self.boards.get_mut(id) {
            Some(Some(used)) => {
                used.board.last_position = used.board.last_position.saturating_add(1);
                used.board.last_position
            }
            // Callers use only leaderboards that `board` returned.
            Some(None) | None => 0,
        }
    }

    /// Returns the idempotency record of a submission, if this batch created it.
    pub(crate) fn known_id(
        &self,
        board: i64,
        submission: &PreparedSubmission,
    ) -> Option<&ids::IdempotencyRecord> {
        let name = submission.record_name()?;
        self.ids.get(board, &name, submission.recorded_at)
    }

    /// Adds the event of an accepted target.
    pub(crate) fn log(
        &mut self,
        board: i64,
        position: u64,
        submission: &PreparedSubmission,
        target: &Target,
        (banned, status): (bool, Status),
    ) {
        let event = Event::submitted(submission, target, banned, status);
        self.events.push(board, position, &event);
    }

    /// Adds the idempotency record of a submission that has an id.
    pub(crate) fn remember(
        &mut self,
        board: i64,
        submission: &PreparedSubmission,
        target: &Target,
        outcome: &Outcome,
    ) {
        if submission.id.is_none() {
            return;
        }
        if let Some(Some(used)) = self.boards.get_mut(&outcome.leaderboard) {
            used.ids = used.ids.saturating_add(1);
            let bytes = submission.record_weight(target);
            used.record_bytes = used.record_bytes.saturating_add(bytes);
            self.new_record_bytes = self.new_record_bytes.saturating_add(bytes);
        }
        self.ids.push(board, submission, outcome);
    }

    /// Returns by how many bytes the tenant's logs and records, including those of this batch, exceed `max_log_bytes`.
    async fn overweight(&mut self, max_log_bytes: Option<u64>) -> Result<u64, StoreError> {
        let Some(max_log_bytes) = max_log_bytes.filter(|_| !self.events.is_empty()) else {
            return Ok(0);
        };
        let records = self.record_bytes().await?;
        let events = self.weights().await?.events;
        let weight = events
            .saturating_add(records)
            .saturating_add(self.events.total_weight());
        Ok(weight.saturating_sub(max_log_bytes))
    }

    /// Writes events, records and periods, and trims the logs.
    pub(crate) async fn finish(mut self, max_log_bytes: Option<u64>) -> Result<(), StoreError> {
        let session = self.session;
        let mut over = self.overweight(max_log_bytes).await?;
        let weights = self.events.weights();
        self.events.flush(session).await?;
        self.ids.flush(session).await?;
        for used in self.periods.values().filter(|used| used.changed) {
            periods::save(session, &used.period).await?;
        }
        let mut anything_to_sweep = false;
        for BatchLeaderboard {
            board,
            first_position,
            ids,
            record_bytes,
            ..
        } in self.boards.into_values().flatten()
        {
            if board.last_position != first_position {
                let appended = AppendedEvents {
                    first: first_position.saturating_add(1),
                    last: board.last_position,
                    weight: weights.get(&board.row).copied().unwrap_or_default(),
                    now: self.now,
                };
                let freed =
                    retention::finish_append(session, self.tenant, (board.row, &board.log), &appended, over)
                        .await?;
                over = over.saturating_sub(freed);
            }
            if ids > 0 {
                let span = retention::find_span(self.now);
                retention::add_records(session, self.tenant, board.row, span, record_bytes).await?;
                ids::prune(session, board.row, self.now, ids).await?;
            }
            anything_to_sweep |= board.has_expired || board.has_discarded;
        }
        if anything_to_sweep {
            sweep::delete_some(session).await?;
        }
        Ok(())
    }
}
