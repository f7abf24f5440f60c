//! Corrections: entries that an admin sets although the leaderboard's operator is another one and it takes no override. Each
//! is recorded before it is made, with the values it sets, and once more with the values that were there before.

use leaderboard_core::access::Caller;
use leaderboard_core::{LeaderboardId, Operator, Outcome, Refusal, Submission, SubmissionTarget, usecase};

use super::act::{append, unrecorded};
use super::record::{Event, SentValues, Who, cut};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::json::Exact;
use crate::problem::{FieldError, ItemPlace, Problem, ProblemType};
use crate::wire::NamedValues;

/// The most entries that one request corrects: each takes two records of the log.
const MAX_CORRECTIONS: usize = 16;

/// The corrections of a request that are recorded.
#[derive(Debug, Default)]
pub(crate) struct Corrections(Vec<Correction>);

#[derive(Debug)]
struct Correction {
    /// Which submission of the request.
    item: usize,
    leaderboard: LeaderboardId,
    /// The position of its record.
    position: u64,
}

/// Records the corrections among the submissions of a request, before anything is settled.
///
/// # Errors
/// 422 when they are more than [`MAX_CORRECTIONS`]; 503 when one cannot be recorded.
pub(crate) async fn begin_corrections<E: Environment>(
    context: &Context<'_, E>,
    submissions: &[Submission],
    places: &[ItemPlace],
) -> Result<Corrections, Problem> {
    if context.caller != Caller::Admin {
        return Ok(Corrections::default());
    }
    let mut found = Vec::new();
    for (item, submission) in submissions.iter().enumerate() {
        for leaderboard in &submission.leaderboards {
            if !is_correction(context, submission, leaderboard).await? {
                continue;
            }
            if found.len() == MAX_CORRECTIONS {
                let place = places.get(item).map_or("#", |place| place.item.as_str());
                let detail = format!("one request corrects at most {MAX_CORRECTIONS} entries");
                return Err(Problem::new(ProblemType::Validation)
                    .with_error(FieldError::body(format!("{place}/operator"), &detail)));
            }
            found.push((item, submission, leaderboard));
        }
    }
    let mut recorded = Vec::with_capacity(found.len());
    for (item, submission, leaderboard) in found {
        recorded.push(Correction {
            item,
            leaderboard: leaderboard.clone(),
            position: append(context, beginning(context, submission, leaderboard))
                .await
                .map_err(|error| unrecorded(&error))?,
        });
    }
    Ok(Corrections(recorded))
}

/// Whether a submission of an admin sets an entry of a leaderboard that does not allow it to servers.
async fn is_correction<E: Environment>(
    context: &Context<'_, E>,
    submission: &Submission,
    leaderboard: &LeaderboardId,
) -> Result<bool, Problem> {
    if submission.operator != Some(Operator::Set) {
        return Ok(false);
    }
    let board = usecase::nearest(&context.deps(), &context.tenant, leaderboard).await?;
    Ok(board.is_some_and(|board| {
        Caller::Server
            .check_operator(&board.value, Operator::Set)
            .is_err()
    }))
}

fn beginning<'a, E: Environment>(
    context: &'a Context<'_, E>,
    submission: &'a Submission,
    leaderboard: &'a LeaderboardId,
) -> Event<'a> {
    Event::Correction {
        who: Who::from(&context.identity.credential),
        player: cut(submission.player.as_str()),
        leaderboard: leaderboard.as_str(),
        values: match &submission.values {
            SubmissionTarget::Score(score) => SentValues(vec![("score", Exact(*score))]),
            SubmissionTarget::Named(named) => {
                let values = named.iter().map(|(name, value)| (name.as_str(), Exact(*value)));
                SentValues(values.collect())
            }
        },
        from: context.client,
        trace: context.trace_id,
    }
}

/// Records what became of the corrections: the values before and after, or the status of the refusal. The corrections
/// themselves are in the log already, so a store that is gone by now changes nothing.
pub(crate) async fn end_corrections<E: Environment>(
    context: &Context<'_, E>,
    corrections: Corrections,
    answers: &[Result<Vec<Outcome>, Refusal>],
    places: &[ItemPlace],
) {
    for correction in corrections.0 {
        let (of, trace) = (correction.position, context.trace_id);
        let of_leaderboard = |outcome: &&Outcome| outcome.leaderboard == correction.leaderboard;
        let answer = answers.get(correction.item).zip(places.get(correction.item));
        let event = match answer {
            Some((Ok(outcomes), _)) => match outcomes.iter().find(of_leaderboard) {
                Some(outcome) => corrected(of, outcome, trace),
                None => continue,
            },
            Some((Err(refusal), place)) => Event::Outcome {
                of,
                status: Problem::of_refusal(refusal, place).kind.status().as_u16(),
                trace,
            },
            None => Event::Outcome {
                of,
                status: ProblemType::TooManyRequests.status().as_u16(),
                trace,
            },
        };
        let _ = append(context, event).await;
    }
}

fn corrected<'a>(of: u64, outcome: &'a Outcome, trace: &'a str) -> Event<'a> {
    let named = |values| {
        let columns = outcome.columns.as_ref()?;
        Some(NamedValues { columns, values })
    };
    Event::Corrected {
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
