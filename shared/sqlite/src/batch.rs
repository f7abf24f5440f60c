//! The submissions of one transaction: what was stored before, and what earlier submissions of the transaction planned to write.
//! Everything is read first and written at the end, so the number of statements does not grow with the number of submissions.

mod finish;
mod ranks;

use std::collections::HashMap;

use leaderboard_core::ports::RankDetail;
use leaderboard_core::{
    Decision, Event, LeaderboardId, OrderKey, Outcome, Period, PeriodId, PlayerId, PreparedSubmission,
    Status, StoreError, Target, TenantId, Timestamp,
};

use crate::entries::KeyedEntry;
use crate::leaderboards::{self, LeaderboardRow, SubmissionTarget};
use crate::periods::{self, PeriodRow};
use crate::retention::LogWeights;
use crate::session::Session;
use crate::target_state::{self, TargetName, TargetState};
use crate::{ids, log, sweep, usage};

/// A leaderboard in the batch.
#[derive(Debug)]
struct BatchLeaderboard {
    board: LeaderboardRow,
    /// The position of the leaderboard's last event when the batch began.
    first_position: u64,
    /// How many idempotency records the batch adds.
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
    /// The number of visible entries when the batch began.
    visible_before: u64,
    changed: bool,
    /// Whether the batch ends that the standings are final.
    reopened: bool,
    /// The leaderboard and the bounds of a period that the batch creates.
    created: Option<(LeaderboardId, Period)>,
}

/// A change of an entry that the batch writes at its end.
#[derive(Debug)]
pub(crate) struct PlannedWrite<'a> {
    pub(crate) submission: &'a PreparedSubmission,
    pub(crate) target: &'a Target,
    /// The row of the leaderboard.
    pub(crate) board: i64,
    pub(crate) banned: bool,
    /// Whether the outcome contains ranks.
    pub(crate) ranks: RankDetail,
    pub(crate) existing: Option<KeyedEntry>,
    pub(crate) decision: Decision,
    /// The order key after the change.
    pub(crate) key: OrderKey,
    /// The position of the event; the batch gives it.
    pub(crate) position: u64,
    /// The version of the period after the change; the batch gives it.
    pub(crate) version: u64,
}

impl PlannedWrite<'_> {
    fn period_key(&self) -> (i64, PeriodId) {
        (self.board, self.target.period.id.clone())
    }
}

/// Where the outcome of a target comes from.
#[derive(Debug)]
pub(crate) enum PlannedOutcome {
    /// An idempotency record of the store.
    Recorded(Box<Outcome>),
    /// The planned write with this index.
    Written(usize),
    /// The planned write with this index, of an earlier submission with the same id.
    Repeated(usize),
}

/// The submissions of a transaction.
pub(crate) struct SubmissionBatch<'a> {
    session: &'a Session<'a>,
    tenant: &'a TenantId,
    now: Timestamp,
    leaderboards: HashMap<LeaderboardId, Option<BatchLeaderboard>>,
    periods: HashMap<(i64, PeriodId), BatchPeriod>,
    writes: Vec<PlannedWrite<'a>>,
    /// The last planned write of an entry, by leaderboard, period and player.
    entries: HashMap<(i64, PeriodId, PlayerId), usize>,
    /// The planned write whose idempotency record has this name, by leaderboard and name.
    records: HashMap<(i64, String), usize>,
    events: log::PendingEvents,
    /// The number of the tenant's entries when the batch began; `None` until it is read.
    tenant_entries: Option<u64>,
    /// How many entries the batch creates.
    created: u64,
    /// The weight of the tenant's logs and records when the batch began.
    weights: LogWeights,
    /// The weight of the idempotency records that the batch creates, in bytes.
    new_record_bytes: u64,
    /// How many more expired periods the batch may discard.
    discards: u64,
}

/// The stored state of each target of a submission; `None` if the configuration of a target is not the current one.
type TargetStates = Vec<Option<TargetState>>;

impl<'a> SubmissionBatch<'a> {
    /// Begins a batch. Also returns the states of the targets of each submission, in their order.
    pub(crate) fn read(
        session: &'a Session<'a>,
        tenant: &'a TenantId,
        submissions: &[(&'a PreparedSubmission, RankDetail)],
    ) -> Result<(Self, Vec<TargetStates>), StoreError> {
        let received = submissions.iter().map(|(one, _)| one.recorded_at);
        let mut batch = Self {
            session,
            tenant,
            now: received.max().unwrap_or(Timestamp::saturating_from_unix_ms(0)),
            leaderboards: HashMap::new(),
            periods: HashMap::new(),
            writes: Vec::with_capacity(submissions.len()),
            entries: HashMap::new(),
            records: HashMap::new(),
            events: log::PendingEvents::default(),
            tenant_entries: None,
            created: 0,
            weights: LogWeights::default(),
            new_record_bytes: 0,
            discards: sweep::EXPIRED_PER_STEP,
        };
        for target in submissions.iter().flat_map(|(one, _)| &one.targets) {
            batch.read_target_leaderboard(target)?;
        }
        let states = batch.read_states(submissions)?;
        Ok((batch, states))
    }

    /// Reads the leaderboard and the period of a target, unless the batch has them.
    fn read_target_leaderboard(&mut self, target: &Target) -> Result<(), StoreError> {
        let (id, period) = (&target.leaderboard.value.id, &target.period.id);
        match self.leaderboards.get(id) {
            Some(None) => Ok(()),
            Some(Some(known)) => {
                let board = known.board.row;
                if !self.periods.contains_key(&(board, period.clone())) {
                    let found = periods::find(self.session, board, period, self.now)?;
                    self.add_period(board, period, found);
                }
                Ok(())
            }
            None => {
                let target = leaderboards::find_target(self.session, self.tenant, (id, period), self.now)?;
                let Some(SubmissionTarget {
                    board,
                    period: found,
                    weights,
                }) = target
                else {
                    self.leaderboards.insert(id.clone(), None);
                    return Ok(());
                };
                self.weights = weights;
                self.add_period(board.row, period, found);
                self.add_board(id, board)
            }
        }
    }

    fn add_board(&mut self, id: &LeaderboardId, board: LeaderboardRow) -> Result<(), StoreError> {
        if board.has_expired && self.discards > 0 {
            let done = sweep::discard_expired(self.session, board.row, self.now, self.discards)?;
            self.discards = self.discards.saturating_sub(done);
        }
        let used = BatchLeaderboard {
            first_position: board.last_position,
            leaves_expired: board.has_expired && self.discards == 0,
            board,
            ids: 0,
            record_bytes: 0,
        };
        self.leaderboards.insert(id.clone(), Some(used));
        Ok(())
    }

    fn add_period(&mut self, board: i64, id: &PeriodId, found: Option<PeriodRow>) {
        if let Some(period) = found {
            let used = BatchPeriod {
                visible_before: period.visible,
                period,
                changed: false,
                reopened: false,
                created: None,
            };
            self.periods.insert((board, id.clone()), used);
        }
    }

    fn read_states(
        &self,
        submissions: &[(&'a PreparedSubmission, RankDetail)],
    ) -> Result<Vec<TargetStates>, StoreError> {
        let records: Vec<_> = submissions.iter().map(|(one, _)| one.record_name()).collect();
        let mut names = Vec::with_capacity(submissions.len());
        for ((submission, _), record) in submissions.iter().zip(&records) {
            for target in &submission.targets {
                let Some(board) = self.find_leaderboard(target) else {
                    continue;
                };
                names.push(TargetName {
                    board,
                    period: self
                        .find_period(board, &target.period.id)
                        .map(|period| period.row),
                    player: &submission.player,
                    record: record.as_deref(),
                    recorded_at: submission.recorded_at,
                });
            }
        }
        let mut states = target_state::read_all(self.session, self.tenant, &names)?.into_iter();
        let mut state_of = |target: &Target| self.find_leaderboard(target).and_then(|_| states.next());
        Ok(submissions
            .iter()
            .map(|(one, _)| one.targets.iter().map(&mut state_of).collect())
            .collect())
    }

    /// Returns the row of a target's leaderboard, or `None` if its configuration is not the one of the target.
    pub(crate) fn find_leaderboard(&self, target: &Target) -> Option<i64> {
        let used = self.leaderboards.get(&target.leaderboard.value.id)?.as_ref()?;
        (used.board.version == target.leaderboard.version).then_some(used.board.row)
    }

    /// Returns a period with the planned changes, if it has ever had an entry.
    pub(crate) fn find_period(&self, board: i64, id: &PeriodId) -> Option<&PeriodRow> {
        self.periods.get(&(board, id.clone())).map(|used| &used.period)
    }

    /// Returns a player's entry after the last planned write, if this batch writes it.
    pub(crate) fn find_planned_entry(
        &self,
        board: i64,
        period: &PeriodId,
        player: &PlayerId,
    ) -> Option<KeyedEntry> {
        let index = self.entries.get(&(board, period.clone(), player.clone()))?;
        let write = self.writes.get(*index)?;
        Some(KeyedEntry {
            key: write.key.clone(),
            entry: write.decision.entry.clone(),
        })
    }

    /// Returns where the outcome of a submission's id is, and the fingerprint of its content, if an earlier submission of this
    /// batch has the id.
    pub(crate) fn find_planned_record(
        &self,
        board: i64,
        submission: &PreparedSubmission,
    ) -> Option<(PlannedOutcome, &[u8])> {
        let name = submission.record_name()?;
        let index = *self.records.get(&(board, name.into_owned()))?;
        let earlier = self.writes.get(index)?.submission;
        let is_valid = earlier.recorded_at.as_unix_ms() > ids::too_old(submission.recorded_at);
        is_valid.then_some((PlannedOutcome::Repeated(index), earlier.fingerprint.as_slice()))
    }

    /// Returns the number of the tenant's entries in all kept periods.
    pub(crate) fn tenant_entries(&mut self) -> Result<u64, StoreError> {
        let before = match self.tenant_entries {
            Some(before) => before,
            // The batch writes its changes at its end, so this counts the entries from before.
            None => usage::entry_quota(self.session, self.tenant, self.now)?.entries,
        };
        self.tenant_entries = Some(before);
        Ok(before.saturating_add(self.created))
    }

    /// Returns the weight of the tenant's idempotency records.
    pub(crate) fn record_bytes(&self) -> u64 {
        self.weights.records.saturating_add(self.new_record_bytes)
    }

    /// Plans a write, so that later submissions of the batch see it.
    pub(crate) fn accept(&mut self, mut write: PlannedWrite<'a>) -> PlannedOutcome {
        let index = self.writes.len();
        write.position = self.take_position(&write.target.leaderboard.value.id);
        write.version = self.change_period(&write);
        if write.decision.status == Status::Created {
            self.created = self.created.saturating_add(1);
        }
        let event = Event::submitted(
            write.submission,
            write.target,
            write.banned,
            write.decision.status,
        );
        self.events.push(write.board, write.position, &event);
        self.plan_record(&write, index);
        let (board, period) = write.period_key();
        self.entries
            .insert((board, period, write.submission.player.clone()), index);
        self.writes.push(write);
        PlannedOutcome::Written(index)
    }

    /// Returns the position for the next event of a leaderboard, and reserves it.
    fn take_position(&mut self, id: &LeaderboardId) -> u64 {
        match self.leaderboards.get_mut(id) {
            Some(Some(used)) => {
                used.board.last_position = used.board.last_position.saturating_add(1);
                used.board.last_position
            }
            // Callers use only leaderboards that `find_leaderboard` returned.
            Some(None) | None => 0,
        }
    }

    /// Changes the counts and the version of a write's period, which the batch creates if necessary. Returns the version.
    fn change_period(&mut self, write: &PlannedWrite<'_>) -> u64 {
        let target = write.target;
        let used = self
            .periods
            .entry(write.period_key())
            .or_insert_with(|| BatchPeriod {
                period: PeriodRow::new(target.leaderboard.value.layout(), target.expires_at),
                visible_before: 0,
                changed: true,
                reopened: false,
                created: Some((target.leaderboard.value.id.clone(), target.period.clone())),
            });
        used.changed = true;
        let period = &mut used.period;
        period.expires_at = target.expires_at;
        if write.decision.status != Status::Kept {
            period.version = write.position;
            used.reopened |= period.frozen_at.take().is_some();
        }
        if write.existing.is_none() {
            period.total = period.total.saturating_add(1);
            period.visible = period.visible.saturating_add(u64::from(!write.banned));
        }
        period.version
    }

    /// Plans the idempotency record of a submission that has an id.
    fn plan_record(&mut self, write: &PlannedWrite<'_>, index: usize) {
        let Some(name) = write.submission.record_name() else {
            return;
        };
        self.records.insert((write.board, name.into_owned()), index);
        let bytes = write.submission.record_weight(write.target);
        self.new_record_bytes = self.new_record_bytes.saturating_add(bytes);
        if let Some(Some(used)) = self.leaderboards.get_mut(&write.target.leaderboard.value.id) {
            used.ids = used.ids.saturating_add(1);
            used.record_bytes = used.record_bytes.saturating_add(bytes);
        }
    }
}
