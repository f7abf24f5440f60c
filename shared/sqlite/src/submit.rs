//! Decides the submissions of a transaction. Each submission is applied to all of its targets or to none.

use leaderboard_core::codec::decode_outcome;
use leaderboard_core::ports::{
    Overdraft, RankDetail, RateLimitDecision, SubmissionResult, SubmitOptions, Submitted,
};
use leaderboard_core::{
    Decision, Entry, EntryChange, LateScores, PreparedSubmission, Refusal, RefusalReason, Status, StoreError,
    SubmissionId, Target, TenantId,
};

use crate::batch::{PlannedOutcome, PlannedWrite, SubmissionBatch};
use crate::entries::{self, KeyedEntry};
use crate::ids::IdempotencyRecord;
use crate::periods::PeriodRow;
use crate::rate_limits;
use crate::row::{Cells, corrupt, malformed};
use crate::session::Session;
use crate::target_state::TargetState;
use crate::writes::PendingWrites;

/// A result or a refusal, or an error of the store.
type OrRefusal<T, R = RefusalReason> = Result<Result<T, R>, StoreError>;

/// One call of the port: submissions that are charged together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubmitCall<'a> {
    pub(crate) submissions: &'a [PreparedSubmission],
    pub(crate) options: &'a SubmitOptions,
}

impl SubmitCall<'_> {
    /// Returns whether this call and another one of the tenant can be in one batch: their quotas are the same.
    pub(crate) fn can_join(&self, other: &Self) -> bool {
        let quotas = |options: &SubmitOptions| (options.max_tenant_entries, options.max_log_bytes);
        quotas(self.options) == quotas(other.options)
    }
}

/// Charges calls of a tenant in their order, and applies the submissions of each call that the rate limits accept.
pub(crate) fn charge_and_submit(
    session: &Session<'_>,
    tenant: &TenantId,
    calls: &[SubmitCall<'_>],
) -> Result<Vec<Submitted>, StoreError> {
    let charge_requests: Vec<_> = calls.iter().map(|call| &call.options.charge_request).collect();
    let mut writes = PendingWrites::default();
    let decisions =
        rate_limits::charge_all(session, &mut writes, tenant, &charge_requests, Overdraft::ByTake)?;
    let charged = calls.iter().zip(&decisions);
    let accepted: Vec<_> = charged
        .filter(|(_, decision)| !decision.refused)
        .map(|(call, _)| *call)
        .collect();
    let mut answers = submit(session, &mut writes, tenant, &accepted)?.into_iter();
    writes.apply(session)?;
    let answers_of = |(call, rate_limit_decision): (&SubmitCall<'_>, RateLimitDecision)| {
        let answered = if rate_limit_decision.refused {
            0
        } else {
            call.submissions.len()
        };
        Submitted {
            rate_limit_decision,
            answers: answers.by_ref().take(answered).collect(),
        }
    };
    Ok(calls.iter().zip(decisions).map(answers_of).collect())
}

/// Applies the submissions of a call that an earlier transaction has charged.
pub(crate) fn submit_charged(
    session: &Session<'_>,
    tenant: &TenantId,
    call: SubmitCall<'_>,
) -> Result<Vec<SubmissionResult>, StoreError> {
    let mut writes = PendingWrites::default();
    let answers = submit(session, &mut writes, tenant, &[call])?;
    writes.apply(session)?;
    Ok(answers)
}

/// Applies submissions in their order, up to what is added to `writes`. The calls have the same quotas.
fn submit(
    session: &Session<'_>,
    writes: &mut PendingWrites,
    tenant: &TenantId,
    calls: &[SubmitCall<'_>],
) -> Result<Vec<SubmissionResult>, StoreError> {
    let Some(options) = calls.first().map(|call| call.options) else {
        return Ok(Vec::new());
    };
    let submissions: Vec<(&PreparedSubmission, RankDetail)> = calls
        .iter()
        .flat_map(|call| call.submissions.iter().map(|one| (one, call.options.ranks)))
        .collect();
    let (mut batch, states) = SubmissionBatch::read(session, tenant, &submissions)?;
    let mut decided = Vec::with_capacity(submissions.len());
    for ((submission, ranks), states) in submissions.into_iter().zip(states) {
        decided.push(decide_submission(
            &mut batch,
            (submission, ranks),
            states,
            options,
        )?);
    }
    batch.finish(writes, options.max_log_bytes, decided)
}

fn decide_submission<'a>(
    batch: &mut SubmissionBatch<'a>,
    (submission, ranks): (&'a PreparedSubmission, RankDetail),
    states: Vec<Option<TargetState>>,
    options: &SubmitOptions,
) -> OrRefusal<Vec<PlannedOutcome>, Refusal> {
    let mut plans = Vec::with_capacity(submission.targets.len());
    for (target, state) in submission.targets.iter().zip(states) {
        match plan_target(batch, submission, target, state)? {
            Ok(plan) => plans.push(plan),
            Err(reason) => return Ok(Err(refusal(target, reason))),
        }
    }
    if let Some(max_entries) = options.max_tenant_entries
        && let Some(target) = find_target_without_room(batch, submission, &plans, max_entries)?
    {
        return Ok(Err(refusal(target, RefusalReason::TenantFull { max_entries })));
    }
    if let Some(max_log_bytes) = options.max_log_bytes
        && let Some(target) = find_target_without_record_room(batch, submission, &plans, max_log_bytes)
    {
        return Ok(Err(refusal(target, RefusalReason::LogFull { max_log_bytes })));
    }
    let planned = submission.targets.iter().zip(plans);
    Ok(Ok(planned
        .map(|(target, plan)| match plan {
            TargetPlan::Replay(outcome) => outcome,
            TargetPlan::Apply(apply) => batch.accept(apply.into_write(submission, target, ranks)),
        })
        .collect()))
}

/// Returns the first target that would create an entry, if the submission would exceed the tenant's entry quota.
fn find_target_without_room<'a>(
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
    let entries = batch.tenant_entries()?.saturating_add(more);
    Ok((entries > max_entries).then_some(first))
}

/// Returns the first target that would create an idempotency record, if the submission would exceed the tenant's log quota.
fn find_target_without_record_room<'a>(
    batch: &SubmissionBatch<'_>,
    submission: &'a PreparedSubmission,
    plans: &[TargetPlan],
    max_log_bytes: u64,
) -> Option<&'a Target> {
    let plans = submission.targets.iter().zip(plans);
    let mut making = plans.filter(|(_, plan)| matches!(plan, TargetPlan::Apply(_)));
    let (Some(_), Some((first, _))) = (&submission.id, making.next()) else {
        return None;
    };
    let more = making.fold(submission.record_weight(first), |bytes, (target, _)| {
        bytes.saturating_add(submission.record_weight(target))
    });
    let bytes = batch.record_bytes().saturating_add(more);
    (bytes > max_log_bytes).then_some(first)
}

fn refusal(target: &Target, reason: RefusalReason) -> Refusal {
    Refusal {
        leaderboard: target.leaderboard.value.id.clone(),
        reason,
    }
}

/// Checks a target and returns what to write. `state` is `None` if the configuration of the target is not the current one.
fn plan_target(
    batch: &SubmissionBatch<'_>,
    submission: &PreparedSubmission,
    target: &Target,
    state: Option<TargetState>,
) -> OrRefusal<TargetPlan> {
    let Some((board, state)) = batch.find_leaderboard(target).zip(state) else {
        return Ok(Err(RefusalReason::StaleConfiguration));
    };
    if let Some(id) = &submission.id {
        if let Some((outcome, fingerprint)) = batch.find_planned_record(board, submission) {
            return Ok(check_fingerprint(submission, id, fingerprint).map(|()| TargetPlan::Replay(outcome)));
        }
        if let Some(record) = &state.record {
            return read_replay(submission, target, id, record);
        }
    }
    if let Some(reason) = &target.refused {
        return Ok(Err(reason.clone()));
    }
    let period = batch.find_period(board, &target.period.id);
    if period.is_some_and(|period| period.layout != target.leaderboard.value.layout()) {
        return Ok(Err(RefusalReason::PeriodReordered));
    }
    if period.is_some_and(|period| period.is_rebuilt_at(submission.recorded_at)) {
        return Ok(Err(RefusalReason::Rebuilding));
    }
    let late_scores = target.leaderboard.value.standings.late_scores;
    let refuses = |period: &PeriodRow| late_scores == LateScores::Refuse || !period.can_be_reopened;
    if period.is_some_and(|period| period.frozen_at.is_some() && refuses(period)) {
        return Ok(Err(RefusalReason::StandingsFinal));
    }
    let existing = match batch.find_planned_entry(board, &target.period.id, &submission.player) {
        Some(entry) => Some(entry),
        None => read_entry(submission, period, state.entry)?,
    };
    let entries = period.map_or(0, |period| period.total);
    let change = EntryChange::from_submission(submission, target);
    let before: Option<&Entry> = existing.as_ref().map(|keyed| &keyed.entry);
    let decided = Decision::from_change(
        before,
        entries,
        &submission.player,
        change,
        &target.leaderboard.value,
    );
    Ok(decided.map(|decision| {
        TargetPlan::Apply(Box::new(PlannedChange {
            board,
            banned: state.banned,
            existing,
            decision,
        }))
    }))
}

/// Reads the stored entry of the submission's player.
fn read_entry(
    submission: &PreparedSubmission,
    period: Option<&PeriodRow>,
    stored: Option<(Vec<u8>, Cells)>,
) -> Result<Option<KeyedEntry>, StoreError> {
    let Some((period, (key, mut cells))) = period.zip(stored) else {
        return Ok(None);
    };
    let keyed = entries::read_keyed_entry(&period.layout, key, &mut cells)?;
    if keyed.entry.player != submission.player {
        return Err(corrupt("player in an order key"));
    }
    Ok(Some(keyed))
}

/// Returns the recorded outcome of an id, or a refusal if the submission has other content than the recorded one.
fn read_replay(
    submission: &PreparedSubmission,
    target: &Target,
    id: &SubmissionId,
    record: &IdempotencyRecord,
) -> OrRefusal<TargetPlan> {
    if let Err(conflict) = check_fingerprint(submission, id, &record.fingerprint) {
        return Ok(Err(conflict));
    }
    let leaderboard = target.leaderboard.value.id.clone();
    decode_outcome(&record.outcome, leaderboard, submission.player.clone())
        .map(|outcome| Ok(TargetPlan::Replay(PlannedOutcome::Recorded(Box::new(outcome)))))
        .map_err(malformed)
}

fn check_fingerprint(
    submission: &PreparedSubmission,
    id: &SubmissionId,
    recorded: &[u8],
) -> Result<(), RefusalReason> {
    if recorded == submission.fingerprint {
        Ok(())
    } else {
        Err(RefusalReason::IdConflict { id: id.clone() })
    }
}

/// What to do for a target after every target has been checked.
enum TargetPlan {
    Replay(PlannedOutcome),
    Apply(Box<PlannedChange>),
}

impl TargetPlan {
    fn creates(&self) -> bool {
        matches!(self, Self::Apply(apply) if apply.decision.status == Status::Created)
    }
}

/// A decision that is not accepted yet.
struct PlannedChange {
    board: i64,
    banned: bool,
    existing: Option<KeyedEntry>,
    decision: Decision,
}

impl PlannedChange {
    fn into_write<'a>(
        self,
        submission: &'a PreparedSubmission,
        target: &'a Target,
        ranks: RankDetail,
    ) -> PlannedWrite<'a> {
        let Entry {
            player,
            values,
            reached_at,
            ..
        } = &self.decision.entry;
        PlannedWrite {
            key: target.leaderboard.value.layout().key(values, *reached_at, player),
            submission,
            target,
            board: self.board,
            banned: self.banned,
            ranks,
            existing: self.existing,
            decision: self.decision,
            position: 0,
            version: 0,
        }
    }
}
