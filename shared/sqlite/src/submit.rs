//! Applies the submissions of a call in one transaction. Each submission is applied to all of its targets or to none.

use leaderboard_core::codec::decode_outcome;
use leaderboard_core::ports::{Overdraft, RankDetail, SubmitOptions, Submitted};
use leaderboard_core::{
    Decision, Entry, EntryChange, OrderKey, Outcome, PreparedSubmission, Previous, Refusal, RefusalReason,
    Status, StoreError, SubmissionId, Target, TenantId,
};

use crate::batch::SubmissionBatch;
use crate::connection::Value;
use crate::counting::rank_move;
use crate::entries::{self, KeyedEntry};
use crate::ids::{self, IdempotencyRecord};
use crate::periods::PeriodRow;
use crate::row::{Cells, corrupt, malformed};
use crate::session::Session;
use crate::{rate_limits, tuples};

/// A result or a refusal, or an error of the store.
type OrRefusal<T, R = RefusalReason> = Result<Result<T, R>, StoreError>;

/// Charges a call, and applies its submissions unless the rate limits refuse it.
pub(crate) async fn charge_and_submit(
    session: &Session<'_>,
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
    options: &SubmitOptions,
) -> Result<Submitted, StoreError> {
    let rate_limit_decision =
        rate_limits::charge(session, tenant, &options.charge_request, Overdraft::ByTake).await?;
    let answers = if rate_limit_decision.refused {
        Vec::new()
    } else {
        submit(session, tenant, submissions, options).await?
    };
    Ok(Submitted {
        rate_limit_decision,
        answers,
    })
}

/// Applies submissions in their order.
pub(crate) async fn submit(
    session: &Session<'_>,
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
    options: &SubmitOptions,
) -> Result<Vec<Result<Vec<Outcome>, Refusal>>, StoreError> {
    let Some(now) = submissions.iter().map(|submission| submission.recorded_at).max() else {
        return Ok(Vec::new());
    };
    let mut batch = SubmissionBatch::new(session, tenant, now);
    let mut results = Vec::with_capacity(submissions.len());
    for submission in submissions {
        results.push(decide_submission(&mut batch, submission, options).await?);
    }
    batch.finish(options.max_log_bytes).await?;
    Ok(results)
}

/// The stored state of one target.
struct TargetState {
    board: i64,
    banned: bool,
    /// The idempotency record of the submission's id.
    known: Option<IdempotencyRecord>,
    /// The entry's key, and the columns after it, which are read later because the layout may have changed.
    existing: Option<(Vec<u8>, Cells)>,
}

async fn decide_submission(
    batch: &mut SubmissionBatch<'_>,
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> OrRefusal<Vec<Outcome>, Refusal> {
    let mut plans = Vec::with_capacity(submission.targets.len());
    for target in &submission.targets {
        match plan_target(batch, submission, target).await? {
            Ok(plan) => plans.push(plan),
            Err(reason) => return Ok(Err(refusal(target, reason))),
        }
    }
    if let Some(max_entries) = options.max_tenant_entries
        && let Some(target) = find_target_without_room(batch, submission, &plans, max_entries).await?
    {
        return Ok(Err(refusal(target, RefusalReason::TenantFull { max_entries })));
    }
    if let Some(max_log_bytes) = options.max_log_bytes
        && let Some(target) =
            find_target_without_record_room(batch, submission, &plans, max_log_bytes).await?
    {
        return Ok(Err(refusal(target, RefusalReason::LogFull { max_log_bytes })));
    }
    let mut outcomes = Vec::with_capacity(plans.len());
    for (target, plan) in submission.targets.iter().zip(plans) {
        outcomes.push(match plan {
            TargetPlan::Replay(outcome) => outcome,
            TargetPlan::Apply(apply) => apply.write(batch, submission, target, options.ranks).await?,
        });
    }
    Ok(Ok(outcomes))
}

/// Returns the first target that would create an entry, if the submission would exceed the tenant's entry quota.
async fn find_target_without_room<'a>(
    batch: &mut SubmissionBatch<'_>,
    submission: &'a PreparedSubmission,
    plans: &[TargetPlan],
    max_entries: u64,
) -> Result<Option<&'a Target>, StoreError> {
    let mut creating = submission
        .targets
        .iter()
        .zip(plans)
        .filter(|(_, plan)| plan.creates());
    let Some((first, _)) = creating.next() else {
        return Ok(None);
    };
    let more = 1 + creating.count() as u64;
    let entries = batch.tenant_entries().await?.saturating_add(more);
    Ok((entries > max_entries).then_some(first))
}

/// Returns the first target that would create an idempotency record, if the submission would exceed the tenant's log quota.
async fn find_target_without_record_room<'a>(
    batch: &mut SubmissionBatch<'_>,
    submission: &'a PreparedSubmission,
    plans: &[TargetPlan],
    max_log_bytes: u64,
) -> Result<Option<&'a Target>, StoreError> {
    let plans = submission.targets.iter().zip(plans);
    let mut making = plans.filter(|(_, plan)| matches!(plan, TargetPlan::Apply(_)));
    let (Some(_), Some((first, _))) = (&submission.id, making.next()) else {
        return Ok(None);
    };
    let more = making.fold(submission.record_weight(first), |bytes, (target, _)| {
        bytes.saturating_add(submission.record_weight(target))
    });
    let bytes = batch.record_bytes().await?.saturating_add(more);
    Ok((bytes > max_log_bytes).then_some(first))
}

fn refusal(target: &Target, reason: RefusalReason) -> Refusal {
    Refusal {
        leaderboard: target.board.value.id.clone(),
        reason,
    }
}

/// Checks a target and returns what to write, but writes nothing.
async fn plan_target(
    batch: &mut SubmissionBatch<'_>,
    submission: &PreparedSubmission,
    target: &Target,
) -> OrRefusal<TargetPlan> {
    let Some(board) = batch.board(target).await? else {
        return Ok(Err(RefusalReason::StaleConfiguration));
    };
    let state = read_target(batch, submission, target, board).await?;
    if let Some((id, known)) = submission.id.as_ref().zip(state.known.as_ref()) {
        return read_replay(submission, target, id, known);
    }
    if let Some(reason) = &target.refused {
        return Ok(Err(reason.clone()));
    }
    let period = batch.period(board, &target.period.id).await?;
    if period.is_some_and(|period| period.layout != target.board.value.layout()) {
        return Ok(Err(RefusalReason::PeriodReordered));
    }
    if period.is_some_and(|period| period.is_rebuilt_at(submission.recorded_at)) {
        return Ok(Err(RefusalReason::Rebuilding));
    }
    decide_target(submission, target, period, state)
}

/// Reads the stored state of a target in one statement.
async fn read_target(
    batch: &mut SubmissionBatch<'_>,
    submission: &PreparedSubmission,
    target: &Target,
    board: i64,
) -> Result<TargetState, StoreError> {
    const FIND: &str = "SELECT EXISTS (SELECT 1 FROM bans WHERE tenant = ?5 AND player = ?2 \
           AND (expires_at IS NULL OR expires_at > ?7)), \
         s.fingerprint, s.outcome, e.order_key, e.attempts, e.metadata \
         FROM (SELECT 1) \
         LEFT JOIN entries e ON e.period = ?1 AND e.player = ?2 \
         LEFT JOIN submissions s ON s.leaderboard = ?3 AND s.id = ?4 AND s.recorded_at > ?6";
    let period = batch
        .period(board, &target.period.id)
        .await?
        .map(|period| period.row);
    let record = submission.record_name();
    let parameters = [
        period.map_or(Value::Null, Value::Integer),
        Value::Text(submission.player.as_str()),
        Value::Integer(board),
        record.as_deref().map_or(Value::Null, Value::Text),
        Value::Text(batch.tenant.as_str()),
        Value::Integer(ids::too_old(submission.recorded_at)),
        Value::Integer(submission.recorded_at.as_unix_ms()),
    ];
    let row = batch.session.row(FIND, &parameters).await?;
    let mut cells = row.ok_or_else(|| corrupt("entry"))?;
    let banned = cells.flag("hidden")?;
    let fingerprint = cells.blob_or_null("fingerprint")?;
    let outcome = cells.blob_or_null("outcome")?;
    let known = match batch.known_id(board, submission) {
        Some(known) => Some(known.clone()),
        None => fingerprint
            .zip(outcome)
            .map(|(fingerprint, outcome)| IdempotencyRecord { fingerprint, outcome }),
    };
    let key = cells.blob_or_null("order key")?;
    Ok(TargetState {
        board,
        banned,
        known,
        existing: key.map(|key| (key, cells)),
    })
}

/// Returns the recorded outcome of an id, or a refusal if the submission has other content than the recorded one.
fn read_replay(
    submission: &PreparedSubmission,
    target: &Target,
    id: &SubmissionId,
    known: &IdempotencyRecord,
) -> OrRefusal<TargetPlan> {
    if known.fingerprint != submission.fingerprint {
        return Ok(Err(RefusalReason::IdConflict { id: id.clone() }));
    }
    let leaderboard = target.board.value.id.clone();
    decode_outcome(&known.outcome, leaderboard, submission.player.clone())
        .map(|outcome| Ok(TargetPlan::Replay(outcome)))
        .map_err(malformed)
}

/// What to write for a target after every target has been checked.
enum TargetPlan {
    Replay(Outcome),
    Apply(Box<PlannedWrite>),
}

impl TargetPlan {
    fn creates(&self) -> bool {
        matches!(self, Self::Apply(apply) if apply.decision.status == Status::Created)
    }
}

/// A decision that is not written yet.
struct PlannedWrite {
    board: i64,
    banned: bool,
    existing: Option<KeyedEntry>,
    decision: Decision,
}

fn decide_target(
    submission: &PreparedSubmission,
    target: &Target,
    period: Option<&PeriodRow>,
    state: TargetState,
) -> OrRefusal<TargetPlan> {
    let entries = period.map_or(0, |period| period.total);
    let existing = match (period, state.existing) {
        (Some(period), Some((key, mut cells))) => {
            Some(entries::read_keyed_entry(&period.layout, key, &mut cells)?)
        }
        _ => None,
    };
    let before: Option<&Entry> = existing.as_ref().map(|placed| &placed.entry);
    if before.is_some_and(|entry| entry.player != submission.player) {
        return Err(corrupt("player in an order key"));
    }
    let change = EntryChange::from_submission(submission, target);
    let decided = Decision::from_change(before, entries, &submission.player, change, &target.board.value);
    Ok(match decided {
        Ok(decision) => Ok(TargetPlan::Apply(Box::new(PlannedWrite {
            board: state.board,
            banned: state.banned,
            existing,
            decision,
        }))),
        Err(reason) => Err(reason),
    })
}

impl PlannedWrite {
    async fn write(
        self,
        batch: &mut SubmissionBatch<'_>,
        submission: &PreparedSubmission,
        target: &Target,
        ranks: RankDetail,
    ) -> Result<Outcome, StoreError> {
        let Decision { entry, status } = &self.decision;
        let position = batch.take_position(&target.board.value.id);
        let session = batch.session;
        let period = batch.period_for_writing(self.board, target).await?;
        let key = period.layout.key(&entry.values, entry.reached_at, &entry.player);
        let old_key = self.existing.as_ref().map(|placed| &placed.key);
        let (rank, previous_rank) = match ranks {
            RankDetail::Omitted => (None, None),
            RankDetail::Full => {
                let (rank, previous) = rank_move(session, period, old_key, &key, self.banned).await?;
                (Some(rank), previous)
            }
        };
        if *status == Status::Kept {
            entries::save_attempts(session, period.row, entry).await?;
        } else {
            entries::save(session, period.row, self.banned, entry, &key).await?;
            period.version = position;
            if old_key.is_none() {
                period.total = period.total.saturating_add(1);
                period.visible = period.visible.saturating_add(u64::from(!self.banned));
            }
            if period.keeps_tuples() && !self.banned {
                move_tuple(session, period, old_key, &key).await?;
            }
        }
        let outcome = Outcome {
            leaderboard: target.board.value.id.clone(),
            period: target.period.id.clone(),
            player: submission.player.clone(),
            status: *status,
            columns: Some(target.board.value.columns.clone()),
            values: entry.values.clone(),
            rank,
            previous: self.existing.as_ref().map(|before| Previous {
                values: before.entry.values.clone(),
                rank: previous_rank,
            }),
            version: period.version,
            replayed: false,
        };
        batch.count(*status);
        batch.log(self.board, position, submission, target, (self.banned, *status));
        batch.remember(self.board, submission, target, &outcome);
        Ok(outcome)
    }
}

/// Updates the counts of tuples when a visible entry moves.
async fn move_tuple(
    session: &Session<'_>,
    period: &PeriodRow,
    old: Option<&OrderKey>,
    new: &OrderKey,
) -> Result<(), StoreError> {
    let new = period.layout.tuple_of(new);
    let old = old.map(|key| period.layout.tuple_of(key));
    if old == Some(new) {
        return Ok(());
    }
    if let Some(old) = old {
        tuples::remove(session, period.row, old).await?;
    }
    tuples::add(session, period.row, new).await
}
