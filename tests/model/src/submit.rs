//! Submissions: all targets of a submission are checked before the first target is applied.

use leaderboard_core::ports::{IDEMPOTENCY_MS, RankDetail, SubmitOptions};
use leaderboard_core::{
    Decision, Entry, EntryChange, Event, LateScores, Outcome, PreparedSubmission, Previous, Refusal,
    RefusalReason, Status, Target,
};

use crate::projection::{PeriodState, Projection, ReplayError};
use crate::ranking::rank_among;
use crate::{IdempotencyRecord, LeaderboardState, Tenant, span_of};

/// Applies a submission to all of its targets or to none.
pub(crate) fn submit(
    tenant: &mut Tenant,
    prepared: &PreparedSubmission,
    options: &SubmitOptions,
) -> Result<Result<Vec<Outcome>, Refusal>, ReplayError> {
    let mut plans = Vec::new();
    for target in &prepared.targets {
        match plan_target(tenant, prepared, target) {
            Ok(plan) => plans.push(plan),
            Err(reason) => {
                let leaderboard = target.leaderboard.value.id.clone();
                return Ok(Err(Refusal { leaderboard, reason }));
            }
        }
    }
    let created = |plan: &&Plan| matches!(plan, Plan::Apply(Status::Created));
    let new_entries = plans.iter().filter(created).count() as u64;
    if let Some(max_entries) = options.max_tenant_entries
        && new_entries > 0
        && tenant.entries() + new_entries > max_entries
        && let Some(at) = plans.iter().position(|plan| created(&plan))
        && let Some(target) = prepared.targets.get(at)
    {
        return Ok(Err(Refusal {
            leaderboard: target.leaderboard.value.id.clone(),
            reason: RefusalReason::TenantFull { max_entries },
        }));
    }
    let applied = |plan: &&Plan| matches!(plan, Plan::Apply(_));
    let planned = prepared.targets.iter().zip(&plans);
    let new_bytes: u64 = planned
        .filter(|(_, plan)| applied(plan))
        .map(|(target, _)| prepared.record_weight(target))
        .sum();
    if let Some(max_log_bytes) = options.max_log_bytes
        && prepared.id.is_some()
        && let Some(at) = plans.iter().position(|plan| applied(&plan))
        && let Some(target) = prepared.targets.get(at)
        && tenant.record_bytes(prepared.recorded_at) + new_bytes > max_log_bytes
    {
        return Ok(Err(Refusal {
            leaderboard: target.leaderboard.value.id.clone(),
            reason: RefusalReason::LogFull { max_log_bytes },
        }));
    }
    let mut outcomes = Vec::new();
    for (target, plan) in prepared.targets.iter().zip(plans) {
        outcomes.push(match plan {
            Plan::Replay(outcome) => *outcome,
            Plan::Apply(status) => apply(tenant, prepared, target, status, options.ranks)?,
        });
    }
    Ok(Ok(outcomes))
}

/// How a submission is applied to a target.
enum Plan {
    /// The outcome of an earlier submission with the same id is returned again.
    Replay(Box<Outcome>),
    /// The submission is applied with this status.
    Apply(Status),
}

/// Checks a submission against one target, without a change.
fn plan_target(
    tenant: &Tenant,
    prepared: &PreparedSubmission,
    target: &Target,
) -> Result<Plan, RefusalReason> {
    let board = tenant
        .boards
        .get(&target.leaderboard.value.id)
        .filter(|board| board.configuration.version == target.leaderboard.version)
        .ok_or(RefusalReason::StaleConfiguration)?;
    if let Some(known) = find_record(board, prepared) {
        if known.fingerprint != prepared.fingerprint {
            let id = conflicting_id(prepared)?;
            return Err(RefusalReason::IdConflict { id });
        }
        return Ok(Plan::Replay(Box::new(Outcome {
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
    let frozen = board.frozen.get(&target.period.id);
    let freeze = frozen.and_then(|frozen| frozen.freeze.as_ref());
    let refuses_late = leaderboard.standings.late_scores == LateScores::Refuse;
    if freeze.is_some_and(|freeze| refuses_late || !freeze.can_be_reopened()) {
        return Err(RefusalReason::StandingsFinal);
    }
    let existing = state.and_then(|state| state.entries.get(&prepared.player));
    let count = state.map_or(0, |state| state.entries.len() as u64);
    let change = EntryChange::from_submission(prepared, target);
    Decision::from_change(existing, count, &prepared.player, change, leaderboard)
        .map(|decision| Plan::Apply(decision.status))
}

/// Returns the idempotency record of the submission's id; `None` if there is none or it has expired.
fn find_record<'a>(
    board: &'a LeaderboardState,
    prepared: &PreparedSubmission,
) -> Option<&'a IdempotencyRecord> {
    let known = board.ids.get(&*prepared.record_name()?)?;
    let expires_at = known.first_at.as_unix_ms() + IDEMPOTENCY_MS;
    (prepared.recorded_at.as_unix_ms() < expires_at).then_some(known)
}

fn conflicting_id(prepared: &PreparedSubmission) -> Result<leaderboard_core::SubmissionId, RefusalReason> {
    prepared.id.clone().ok_or(RefusalReason::StaleConfiguration)
}

/// Applies a submission to one target, and keeps the outcome under the submission's id.
fn apply(
    tenant: &mut Tenant,
    prepared: &PreparedSubmission,
    target: &Target,
    status: Status,
    ranks: RankDetail,
) -> Result<Outcome, ReplayError> {
    let banned = tenant.bans.contains_key(&prepared.player);
    let missing = ReplayError::Unfounded { position: 0 };
    let board = tenant
        .boards
        .get_mut(&target.leaderboard.value.id)
        .ok_or(missing.clone())?;
    let previous = find_entry(board, prepared, target).map(|(state, entry)| Previous {
        values: entry.values.clone(),
        rank: rank(&board.projection, state, entry, ranks),
    });
    if status != Status::Kept
        && let Some(frozen) = board.frozen.get_mut(&target.period.id)
    {
        frozen.reopen();
    }
    board.append(Event::submitted(prepared, target, banned, status))?;
    board.expiries.insert(target.period.id.clone(), target.expires_at);
    let (state, entry) = find_entry(board, prepared, target).ok_or(missing)?;
    let outcome = Outcome {
        leaderboard: target.leaderboard.value.id.clone(),
        period: target.period.id.clone(),
        player: prepared.player.clone(),
        status,
        columns: Some(target.leaderboard.value.columns.clone()),
        values: entry.values.clone(),
        rank: rank(&board.projection, state, entry, ranks),
        previous,
        version: state.version,
        replayed: false,
    };
    if let Some(name) = prepared.record_name() {
        let known = IdempotencyRecord {
            fingerprint: prepared.fingerprint,
            outcome: outcome.clone(),
            first_at: prepared.recorded_at,
        };
        let span = span_of(prepared.recorded_at);
        let before = board.ids.insert(name.into_owned(), known);
        if before.is_none_or(|before| span_of(before.first_at) != span) {
            *board.record_bytes.entry(span).or_default() += prepared.record_weight(target);
        }
    }
    Ok(outcome)
}

/// Returns the player's entry in the period of a target.
fn find_entry<'a>(
    board: &'a LeaderboardState,
    prepared: &PreparedSubmission,
    target: &Target,
) -> Option<(&'a PeriodState, &'a Entry)> {
    let state = board.projection.periods.get(&target.period.id)?;
    Some((state, state.entries.get(&prepared.player)?))
}

/// Returns the rank of an entry, if ranks are requested.
fn rank(projection: &Projection, state: &PeriodState, entry: &Entry, ranks: RankDetail) -> Option<u64> {
    let others = projection.others(state, &entry.player);
    (ranks == RankDetail::Full).then(|| rank_among(&state.layout, &others, entry))
}
