//! Submissions: every target is checked before the first is applied.

use super::projection::{PeriodState, Projection, ReplayError};
use super::ranking::rank_among;
use super::{KeptOutcome, ModelLeaderboard, ModelTenant, span_of};
use crate::ports::{IDEMPOTENCY_MS, RankDetail, SubmitOptions};
use crate::{
    Decision, Entry, EntryChange, Event, Outcome, PreparedSubmission, Previous, Refusal, RefusalReason,
    Status, Target,
};

/// Applies one submission: all of its targets or none.
pub(super) fn decide_submission(
    tenant: &mut ModelTenant,
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> Result<Result<Vec<Outcome>, Refusal>, ReplayError> {
    let mut plans = Vec::new();
    for target in &submission.targets {
        match plan_target(tenant, submission, target) {
            Ok(plan) => plans.push(plan),
            Err(reason) => {
                let leaderboard = target.board.value.id.clone();
                return Ok(Err(Refusal { leaderboard, reason }));
            }
        }
    }
    let created = |plan: &&TargetPlan| matches!(plan, TargetPlan::Apply(Status::Created));
    let new_entries = plans.iter().filter(created).count() as u64;
    if let Some(max_entries) = options.max_tenant_entries
        && new_entries > 0
        && tenant.entries() + new_entries > max_entries
        && let Some(at) = plans.iter().position(|plan| created(&plan))
        && let Some(target) = submission.targets.get(at)
    {
        return Ok(Err(Refusal {
            leaderboard: target.board.value.id.clone(),
            reason: RefusalReason::TenantFull { max_entries },
        }));
    }
    let applied = |plan: &&TargetPlan| matches!(plan, TargetPlan::Apply(_));
    let making = submission.targets.iter().zip(&plans);
    let new_bytes: u64 = making
        .filter(|(_, plan)| applied(plan))
        .map(|(target, _)| submission.record_weight(target))
        .sum();
    if let Some(max_log_bytes) = options.max_log_bytes
        && submission.id.is_some()
        && let Some(at) = plans.iter().position(|plan| applied(&plan))
        && let Some(target) = submission.targets.get(at)
        && tenant.record_bytes(submission.recorded_at) + new_bytes > max_log_bytes
    {
        return Ok(Err(Refusal {
            leaderboard: target.board.value.id.clone(),
            reason: RefusalReason::LogFull { max_log_bytes },
        }));
    }
    let mut outcomes = Vec::new();
    for (target, plan) in submission.targets.iter().zip(plans) {
        outcomes.push(match plan {
            TargetPlan::Replay(outcome) => *outcome,
            TargetPlan::Apply(status) => apply(tenant, submission, target, status, options.ranks)?,
        });
    }
    Ok(Ok(outcomes))
}

/// What to do for a target.
enum TargetPlan {
    Replay(Box<Outcome>),
    Apply(Status),
}

fn plan_target(
    tenant: &ModelTenant,
    submission: &PreparedSubmission,
    target: &Target,
) -> Result<TargetPlan, RefusalReason> {
    let board = tenant
        .boards
        .get(&target.board.value.id)
        .filter(|board| board.configuration.version == target.board.version)
        .ok_or(RefusalReason::StaleConfiguration)?;
    if let Some(known) = find_kept_outcome(board, submission) {
        if known.fingerprint != submission.fingerprint {
            let id = read_id(submission)?;
            return Err(RefusalReason::IdConflict { id });
        }
        return Ok(TargetPlan::Replay(Box::new(Outcome {
            replayed: true,
            ..known.outcome.clone()
        })));
    }
    if let Some(reason) = &target.refused {
        return Err(reason.clone());
    }
    let leaderboard = &board.configuration.value;
    let state = board.projection.periods.get(&target.period.id);
    if state.is_some_and(|state| state.layout != leaderboard.layout()) {
        return Err(RefusalReason::PeriodReordered);
    }
    let existing = state.and_then(|state| state.entries.get(&submission.player));
    let count = state.map_or(0, |state| state.entries.len() as u64);
    let change = EntryChange::from_submission(submission, target);
    Decision::from_change(existing, count, &submission.player, change, leaderboard)
        .map(|decision| TargetPlan::Apply(decision.status))
}

/// Returns the idempotency record of the submission, unless it has expired.
fn find_kept_outcome<'a>(
    board: &'a ModelLeaderboard,
    submission: &PreparedSubmission,
) -> Option<&'a KeptOutcome> {
    let known = board.ids.get(&*submission.record_name()?)?;
    let forgotten_at = known.first_at.as_unix_ms() + IDEMPOTENCY_MS;
    (submission.recorded_at.as_unix_ms() < forgotten_at).then_some(known)
}

fn read_id(submission: &PreparedSubmission) -> Result<crate::SubmissionId, RefusalReason> {
    submission.id.clone().ok_or(RefusalReason::StaleConfiguration)
}

fn apply(
    tenant: &mut ModelTenant,
    submission: &PreparedSubmission,
    target: &Target,
    status: Status,
    ranks: RankDetail,
) -> Result<Outcome, ReplayError> {
    let banned = tenant.bans.contains_key(&submission.player);
    let gone = ReplayError::Unfounded { position: 0 };
    let board = tenant
        .boards
        .get_mut(&target.board.value.id)
        .ok_or(gone.clone())?;
    let previous = find_entry(board, submission, target).map(|(state, entry)| Previous {
        values: entry.values.clone(),
        rank: find_rank(&board.projection, state, entry, ranks),
    });
    board.append(Event::submitted(submission, target, banned, status))?;
    board.expiries.insert(target.period.id.clone(), target.expires_at);
    let (state, entry) = find_entry(board, submission, target).ok_or(gone)?;
    let outcome = Outcome {
        leaderboard: target.board.value.id.clone(),
        period: target.period.id.clone(),
        player: submission.player.clone(),
        status,
        columns: Some(target.board.value.columns.clone()),
        values: entry.values.clone(),
        rank: find_rank(&board.projection, state, entry, ranks),
        previous,
        version: state.version,
        replayed: false,
    };
    if let Some(name) = submission.record_name() {
        let known = KeptOutcome {
            fingerprint: submission.fingerprint,
            outcome: outcome.clone(),
            first_at: submission.recorded_at,
        };
        let span = span_of(submission.recorded_at);
        let before = board.ids.insert(name.into_owned(), known);
        if before.is_none_or(|before| span_of(before.first_at) != span) {
            *board.record_bytes.entry(span).or_default() += submission.record_weight(target);
        }
    }
    Ok(outcome)
}

fn find_entry<'a>(
    board: &'a ModelLeaderboard,
    submission: &PreparedSubmission,
    target: &Target,
) -> Option<(&'a PeriodState, &'a Entry)> {
    let state = board.projection.periods.get(&target.period.id)?;
    Some((state, state.entries.get(&submission.player)?))
}

fn find_rank(projection: &Projection, state: &PeriodState, entry: &Entry, ranks: RankDetail) -> Option<u64> {
    let others = projection.others(state, &entry.player);
    (ranks == RankDetail::Full).then(|| rank_among(&state.layout, &others, entry))
}
