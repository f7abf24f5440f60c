//! Corrections: a server or an admin sets an entry although the leaderboard has another operator and allows no override. Each
//! correction has one record before it is made, with the new values, and one after it, with the previous values.

use std::collections::BTreeMap;

use leaderboard_core::access::Caller;
use leaderboard_core::{LeaderboardId, Operator, Outcome, Refusal, Submission, SubmittedValues};

use super::action::{append_record, build_unrecorded_problem};
use super::record::{AuditActor, AuditEntry, SentValues, cut};
use crate::PipelineEnvironment;
use crate::charged_submission::ChargedSubmission;
use crate::endpoint::Context;
use leaderboard_api::json::Exact;
use leaderboard_api::wire::NamedValues;
use leaderboard_api::{FieldError, ItemPlace, Problem, ProblemType};

/// The most corrections in one request. Each adds two records to the log.
const MAX_CORRECTIONS: usize = 16;

/// The recorded corrections of a request.
#[derive(Debug, Default)]
pub struct Corrections(Vec<Correction>);

#[derive(Debug)]
struct Correction {
    /// The index of the submission in the request.
    item: usize,
    leaderboard: LeaderboardId,
    /// The position of the correction's record.
    position: u64,
}

/// A submission with the operator `set`: its index in the request, the submission, and a leaderboard.
type Set<'a> = (usize, &'a Submission, &'a LeaderboardId);

/// Returns the submissions with the operator `set`, if this caller can make corrections.
fn sets<'a, E: PipelineEnvironment>(
    context: &Context<'_, E>,
    submissions: &'a [Submission],
) -> impl Iterator<Item = Set<'a>> + use<'a, E> {
    let may_correct = matches!(context.caller, Caller::Server | Caller::Admin);
    let submissions = submissions.iter().enumerate();
    submissions
        .filter(move |(_, submission)| may_correct && submission.operator == Some(Operator::Set))
        .flat_map(|(item, submission)| {
            submission
                .leaderboards
                .iter()
                .map(move |id| (item, submission, id))
        })
}

/// Records the corrections of a request before any submission is applied. Charges a request with corrections first, so that a
/// request that exceeds its limits writes no records.
///
/// # Errors
/// 422 when there are more than [`MAX_CORRECTIONS`] corrections; 429 when a limit is used up; 503 when a correction cannot be
/// recorded.
pub async fn begin_corrections<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    submissions: &[Submission],
    places: &[ItemPlace],
    charged: &mut ChargedSubmission,
) -> Result<Corrections, Problem> {
    let found = find_corrections(context, submissions, charged).await?;
    if let Some((item, ..)) = found.get(MAX_CORRECTIONS) {
        let place = places.get(*item).map_or("#", |place| place.item.as_str());
        let detail = format!("one request corrects at most {MAX_CORRECTIONS} entries");
        return Err(Problem::new(ProblemType::Validation)
            .with_error(FieldError::body(format!("{place}/operator"), &detail)));
    }
    let mut recorded = Vec::with_capacity(found.len());
    for (item, submission, leaderboard) in found {
        charged.charge_now(context).await?;
        recorded.push(Correction {
            item,
            leaderboard: leaderboard.clone(),
            position: append_record(context, beginning(context, submission, leaderboard))
                .await
                .map_err(|error| build_unrecorded_problem(&error))?,
        });
    }
    Ok(Corrections(recorded))
}

/// Finds the corrections by the cached configurations. If a configuration is not cached, charges the request and then reads the
/// store.
async fn find_corrections<'a, E: PipelineEnvironment>(
    context: &Context<'_, E>,
    submissions: &'a [Submission],
    charged: &mut ChargedSubmission,
) -> Result<Vec<Set<'a>>, Problem> {
    let deps = context.deps();
    let mut boards = BTreeMap::new();
    for (_, _, id) in sets(context, submissions) {
        if !boards.contains_key(id) {
            boards.insert(id, deps.find_cached_leaderboard(id).await);
        }
    }
    let unknown = boards.iter().filter(|(_, board)| board.is_none());
    let unknown: Vec<LeaderboardId> = unknown.map(|(id, _)| (*id).clone()).collect();
    if !unknown.is_empty() {
        charged.charge_now(context).await?;
        let read = deps.load_current_leaderboards(&unknown).await?;
        for board in boards.values_mut().filter(|board| board.is_none()).zip(read) {
            *board.0 = board.1;
        }
    }
    Ok(sets(context, submissions)
        .filter(|(_, submission, id)| {
            let board = boards.get(id).and_then(Option::as_ref);
            board.is_some_and(|board| board.value.is_correction(submission.operator))
        })
        .collect())
}

fn beginning<'a, E: PipelineEnvironment>(
    context: &'a Context<'_, E>,
    submission: &'a Submission,
    leaderboard: &'a LeaderboardId,
) -> AuditEntry<'a> {
    AuditEntry::Correction {
        who: AuditActor::from(&context.identity.credential),
        player: cut(submission.player.as_str()),
        leaderboard: leaderboard.as_str(),
        values: match &submission.values {
            SubmittedValues::Score(score) => SentValues(vec![("score", Exact(*score))]),
            SubmittedValues::Named(named) => {
                let values = named.iter().map(|(name, value)| (name.as_str(), Exact(*value)));
                SentValues(values.collect())
            }
        },
        from: context.client,
        trace: context.trace_id,
    }
}

/// Records the outcome of the corrections: the values before and after, or the status of the refusal. Ignores a failure to record
/// it, because the log has the corrections already. If the cached configuration let a server set an entry and the current
/// configuration does not, writes both records now.
pub async fn end_corrections<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    mut corrections: Corrections,
    submissions: &[Submission],
    answers: &[Result<Vec<Outcome>, Refusal>],
    places: &[ItemPlace],
) {
    for (item, submission, leaderboard) in sets(context, submissions) {
        let is_recorded = |known: &Correction| known.item == item && known.leaderboard == *leaderboard;
        let board = context.env.leaderboard_memory().find(context.tenant, leaderboard);
        if matches!(answers.get(item), Some(Ok(_)))
            && board.is_some_and(|board| board.value.is_correction(submission.operator))
            && !corrections.0.iter().any(is_recorded)
            && let Ok(position) = append_record(context, beginning(context, submission, leaderboard)).await
        {
            corrections.0.push(Correction {
                item,
                leaderboard: leaderboard.clone(),
                position,
            });
        }
    }
    for correction in corrections.0 {
        let (of, trace) = (correction.position, context.trace_id);
        let of_leaderboard = |outcome: &&Outcome| outcome.leaderboard == correction.leaderboard;
        let event = match answers.get(correction.item).zip(places.get(correction.item)) {
            Some((Ok(outcomes), _)) => match outcomes.iter().find(of_leaderboard) {
                Some(outcome) => corrected(of, outcome, trace),
                None => continue,
            },
            Some((Err(refusal), place)) => AuditEntry::Outcome {
                of,
                status: Problem::of_refusal(refusal, place).kind.status().as_u16(),
                trace,
            },
            None => continue,
        };
        let _ = append_record(context, event).await;
    }
}

fn corrected<'a>(of: u64, outcome: &'a Outcome, trace: &'a str) -> AuditEntry<'a> {
    let named = |values| {
        let columns = outcome.columns.as_ref()?;
        Some(NamedValues { columns, values })
    };
    AuditEntry::Corrected {
        of,
        period: outcome.period.as_str(),
        values: named(&outcome.values),
        previous: outcome
            .previous
            .as_ref()
            .and_then(|previous| named(&previous.values)),
        replayed: outcome.replayed,
        trace,
    }
}
