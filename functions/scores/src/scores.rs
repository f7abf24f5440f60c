//! Submits scores, and removes entries.

use http::StatusCode;
use leaderboard_core::ports::{RankDetail, Submitted};
use leaderboard_core::usecase::QueryError;
use leaderboard_core::{LeaderboardId, Outcome, PlayerId, Refusal, Status, Submission, usecase};

use leaderboard_api::{ItemPlace, Problem, Query, Response};
use leaderboard_pipeline::names::names_for;
use leaderboard_pipeline::{ChargedSubmission, Context, audit, idempotency, prefer};
use leaderboard_responses::ResponseEnvironment;

use crate::queued::{self, PREFERENCE_APPLIED};

use leaderboard_api::wire::Names;
use leaderboard_api::wire::outcome::{BatchResult, OutcomeBody, Results};
use leaderboard_api::wire::submission::{Item, Sender, SubmissionBody, SubmissionTarget, scores};

/// `POST /leaderboards/{id}/scores`: submits one score, or a batch, to one leaderboard.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn submit<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    submit_to(context, SubmissionTarget::Path(&leaderboard)).await
}

/// `POST /scores`: submits one score, or a batch. Each submission names its leaderboards.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn submit_many<E: ResponseEnvironment>(
    context: &Context<'_, E>,
) -> Result<Response, Problem> {
    submit_to(context, SubmissionTarget::Body).await
}

/// Returns the cost of a request: one unit for each leaderboard of each submission.
fn count_units(items: &[Item]) -> u64 {
    let targets = items.iter().map(|item| item.submission.leaderboards.len());
    u64::try_from(targets.sum::<usize>()).unwrap_or(u64::MAX)
}

/// The submissions of a request, and the place of each in the body.
struct ParsedBody<'a> {
    destination: SubmissionTarget<'a>,
    is_batch: bool,
    /// Whether the client only wants the outcome without ranks (RFC 7240, `return=minimal`).
    is_minimal: bool,
    submissions: Vec<Submission>,
    places: Vec<ItemPlace>,
}

/// Parses the body, submits its scores, and writes their outcomes; or appends it to the queue if the client prefers that.
async fn submit_to<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    destination: SubmissionTarget<'_>,
) -> Result<Response, Problem> {
    let body = parse_body(context, destination)?;
    if prefer::wants_async(context.headers) {
        let leaderboard = match destination {
            SubmissionTarget::Path(leaderboard) => Some(leaderboard),
            SubmissionTarget::Body => None,
        };
        return queued::enqueue(context, leaderboard, body.submissions.len()).await;
    }
    let ranks = if body.is_minimal {
        RankDetail::Omitted
    } else {
        RankDetail::Full
    };
    let mut charged = ChargedSubmission::new(context, ranks);
    let answer = submit_body(context, &body, &mut charged).await;
    charged.finish(answer)
}

fn parse_body<'a, E: ResponseEnvironment>(
    context: &Context<'_, E>,
    destination: SubmissionTarget<'a>,
) -> Result<ParsedBody<'a>, Problem> {
    Query::parse(context.query, &[])?;
    let is_minimal = prefer::wants_minimal(context.headers);
    let sender = if context.identity.player.is_some() {
        Sender::Player
    } else {
        Sender::Server
    };
    let SubmissionBody { mut items, batch } = scores(context.body, destination, sender)?;
    leaderboard_score_messages::replace_me(&context.caller, &mut items)?;
    context.set_cost(count_units(&items))?;
    idempotency::apply_idempotency_key(context.headers, context.identity, context.body, &mut items)?;
    let (submissions, places) = items
        .into_iter()
        .map(|item| (item.submission, item.place))
        .unzip();
    Ok(ParsedBody {
        destination,
        is_batch: batch,
        is_minimal,
        submissions,
        places,
    })
}

async fn submit_body<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    body: &ParsedBody<'_>,
    charged: &mut ChargedSubmission,
) -> Result<Response, Problem> {
    let (submissions, places) = (&body.submissions, &body.places);
    charged.options.charge_request.usage.scores = u64::try_from(submissions.len()).unwrap_or(u64::MAX);
    let corrections = audit::begin_corrections(context, submissions, places, charged).await?;
    let sent: Vec<_> = submissions.iter().map(|one| (&context.caller, one)).collect();
    let submitted = usecase::submit_scores(&context.deps(), &sent, &charged.options).await;
    let Submitted {
        rate_limit_decision,
        answers,
    } = submitted.inspect_err(|_| {
        // The store may have accepted the scores although its response was lost.
        leaderboard_responses::invalidate_if_submitted(context.env, context.tenant, submissions.iter());
    })?;
    audit::end_corrections(context, corrections, submissions, &answers, places).await;
    charged.add_decision(rate_limit_decision)?;
    let outcomes = || answers.iter().flatten().flatten();
    leaderboard_responses::invalidate_submitted(context.env, context.tenant, outcomes());
    let max_log_bytes = context.tenant_config.tenant.quotas.max_log_bytes();
    leaderboard_responses::take_due_snapshots(context.env, context.tenant, max_log_bytes, outcomes());
    let names = if body.is_minimal {
        None
    } else {
        Some(names_for(context, outcomes()).await?)
    };
    let response = if body.is_batch {
        batch_answer(context, body.destination, &answers, places, names.as_ref())?
    } else {
        single_answer(context, body.destination, &answers, places, names.as_ref())?
    };
    let changed = outcomes().filter(|outcome| outcome.status != Status::Kept);
    let mut changed = changed.map(|outcome| &outcome.leaderboard).peekable();
    let response = if changed.peek().is_some() {
        leaderboard_responses::with_invalidated_groups(response, context.tenant, changed)
    } else {
        response
    };
    Ok(if body.is_minimal {
        response.with(PREFERENCE_APPLIED, "return=minimal")
    } else {
        response
    })
}

type SubmitAnswer = Result<Vec<Outcome>, Refusal>;

/// Returns 200 with the outcome, or with one outcome for each leaderboard. If the submission was refused, returns its problem as the
/// error.
fn single_answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    destination: SubmissionTarget<'_>,
    answers: &[SubmitAnswer],
    places: &[ItemPlace],
    names: Option<&Names>,
) -> Result<Response, Problem> {
    let (answer, place) = answers
        .first()
        .zip(places.first())
        .ok_or_else(|| Problem::internal("a submission was not answered"))?;
    let outcomes = answer
        .as_ref()
        .map_err(|refusal| Problem::of_refusal(refusal, place))?;
    match destination {
        SubmissionTarget::Path(_) => {
            let body = OutcomeBody::new(context.version, only(outcomes)?, names);
            Response::json(StatusCode::OK, context.accepted, &body)
        }
        SubmissionTarget::Body => {
            let results = OutcomeBody::list(context.version, outcomes, names);
            Response::json(StatusCode::OK, context.accepted, &Results { results })
        }
    }
}

/// Returns 207 with the result of each submission.
fn batch_answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    destination: SubmissionTarget<'_>,
    answers: &[SubmitAnswer],
    places: &[ItemPlace],
    names: Option<&Names>,
) -> Result<Response, Problem> {
    let mut results = Vec::with_capacity(answers.len());
    for (answer, place) in answers.iter().zip(places) {
        results.push(match (answer, destination) {
            (Ok(outcomes), SubmissionTarget::Path(_)) => {
                let outcome = OutcomeBody::new(context.version, only(outcomes)?, names);
                BatchResult::one(outcome)
            }
            (Ok(outcomes), SubmissionTarget::Body) => {
                BatchResult::several(OutcomeBody::list(context.version, outcomes, names))
            }
            (Err(refusal), _) => BatchResult::refused(Problem::of_refusal(refusal, place), context.trace_id),
        });
    }
    Response::json(StatusCode::MULTI_STATUS, context.accepted, &Results { results })
}

/// Returns the only outcome of a submission to the leaderboard in the path.
fn only(outcomes: &[Outcome]) -> Result<&Outcome, Problem> {
    outcomes
        .first()
        .ok_or_else(|| Problem::internal("a submission has no outcome"))
}

/// `DELETE /leaderboards/{id}/scores/{player}?period=`: removes the player's entry.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn remove<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    let selector = Query::parse(context.query, &["period"])?.period()?;
    audit::record_audit_event(context).await?;
    let removed =
        usecase::remove_entry(&context.deps(), &context.caller, &leaderboard, &player, &selector).await;
    // An earlier call whose response was lost may have removed a missing entry. If the store is unavailable, only a leaderboard that
    // this instance knows is invalidated, because a client can invent the id.
    let perhaps_removed = match &removed {
        Ok(_) | Err(QueryError::UnknownEntry) => true,
        Err(QueryError::Store(_)) => {
            leaderboard_responses::has_seen_leaderboard(context.env, context.tenant, &leaderboard)
        }
        Err(_) => false,
    };
    if perhaps_removed {
        leaderboard_responses::purge_and_announce(context.env, context.tenant, Some(&leaderboard));
    }
    removed.map_err(|error| Problem::of_query(error, &context.caller))?;
    Ok(leaderboard_responses::with_invalidated_groups(
        Response::no_content(),
        context.tenant,
        [&leaderboard],
    ))
}
