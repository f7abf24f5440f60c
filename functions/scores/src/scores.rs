//! Taking scores in, and taking them out.

use http::{HeaderName, StatusCode};
use leaderboard_core::ports::{RankDetail, Submitted};
use leaderboard_core::usecase::QueryError;
use leaderboard_core::{LeaderboardId, Outcome, PlayerId, Refusal, Status, usecase};

use leaderboard_api::Query;
use leaderboard_api::Response;
use leaderboard_api::{FieldError, ItemPlace, Problem, ProblemType};
use leaderboard_pipeline::Context;
use leaderboard_pipeline::audit;
use leaderboard_pipeline::me;
use leaderboard_pipeline::names::names_for;
use leaderboard_pipeline::{idempotency, prefer};
use leaderboard_responses::ResponseEnvironment;

use leaderboard_api::wire::Names;
use leaderboard_api::wire::outcome::{BatchResult, OutcomeBody, OutcomeList, Results};
use leaderboard_api::wire::submission::{Destination, Item, Scores, Sender, scores};

/// Tells which preference was followed (RFC 7240).
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `POST /leaderboards/{id}/scores`: one submission, or a batch of them.
///
/// # Errors
/// The problem to answer with.
pub async fn submit<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    take(context, Destination::Path(&leaderboard)).await
}

/// `POST /scores`: likewise, each submission with its own `leaderboards`.
///
/// # Errors
/// The problem to answer with.
pub async fn submit_many<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    take(context, Destination::Body).await
}

/// What a request costs: one unit for each leaderboard of each submission.
fn targets(items: &[Item]) -> u64 {
    let targets = items.iter().map(|item| item.submission.leaderboards.len());
    u64::try_from(targets.sum::<usize>()).unwrap_or(u64::MAX)
}

async fn take<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    destination: Destination<'_>,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let minimal = prefer::wants_minimal(context.headers);
    let sender = if context.identity.player.is_some() {
        Sender::Player
    } else {
        Sender::Server
    };
    let Scores { mut items, batch } = scores(context.body, destination, sender)?;
    name_own(context, &mut items)?;
    context.set_cost(targets(&items))?;
    idempotency::apply(context.headers, &context.identity, context.body, &mut items)?;
    let (submissions, places): (Vec<_>, Vec<_>) = items
        .into_iter()
        .map(|item| (item.submission, item.place))
        .unzip();
    let ranks = if minimal {
        RankDetail::Omitted
    } else {
        RankDetail::Full
    };
    let mut terms = context.submit_options(ranks);
    terms.charge_request.usage.scores = u64::try_from(submissions.len()).unwrap_or(u64::MAX);
    let corrections = audit::begin_corrections(context, &submissions, &places, &mut terms).await?;
    let Submitted {
        rate_limit_decision,
        answers,
    } = usecase::submit_scores(
        &context.deps(),
        &context.tenant,
        &context.caller,
        &submissions,
        &terms,
    )
    .await
    // Whether they were taken in is not known.
    .inspect_err(|_| {
        leaderboard_responses::invalidate_if_submitted(context.env, &context.tenant, submissions.iter())
    })?;
    audit::end_corrections(context, corrections, &submissions, &answers, &places).await;
    let refused = rate_limit_decision.refused;
    context
        .rate_limit_decision
        .borrow_mut()
        .get_or_insert(rate_limit_decision);
    if refused {
        return Err(Problem::new(ProblemType::TooManyRequests));
    }
    let outcomes = || answers.iter().flatten().flatten();
    leaderboard_responses::invalidate_submitted(context.env, &context.tenant, outcomes());
    let names = if minimal {
        None
    } else {
        Some(names_for(context, outcomes()).await?)
    };
    let response = if batch {
        batch_answer(context, destination, &answers, &places, names.as_ref())?
    } else {
        single_answer(context, destination, &answers, &places, names.as_ref())?
    };
    let changed = outcomes().filter(|outcome| outcome.status != Status::Kept);
    let mut changed = changed.map(|outcome| &outcome.leaderboard).peekable();
    let response = if changed.peek().is_some() {
        leaderboard_responses::with_invalidated_groups(response, &context.tenant, changed)
    } else {
        response
    };
    Ok(if minimal {
        response.with(PREFERENCE_APPLIED, "return=minimal")
    } else {
        response
    })
}

/// Puts the player of the token in the place of `me`.
fn name_own<E: ResponseEnvironment>(context: &Context<'_, E>, items: &mut [Item]) -> Result<(), Problem> {
    let mut refused: Option<Problem> = None;
    for item in items {
        match me::named(&context.caller, &item.submission.player) {
            Ok(player) => item.submission.player = player,
            Err(detail) => {
                let problem = refused.unwrap_or_else(|| Problem::new(ProblemType::Validation));
                let pointer = format!("{}/player", item.place.item);
                refused = Some(problem.with_error(FieldError::body(pointer, detail)));
            }
        }
    }
    refused.map_or(Ok(()), Err)
}

type Answer = Result<Vec<Outcome>, Refusal>;

/// 200 with the outcome, or with one for each leaderboard; a refusal is the answer itself.
fn single_answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    destination: Destination<'_>,
    answers: &[Answer],
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
        Destination::Path(_) => {
            let body = OutcomeBody {
                status_code: None,
                version: context.version,
                outcome: only(outcomes)?,
                names,
            };
            Response::json(StatusCode::OK, context.accepted, &body)
        }
        Destination::Body => {
            let results = OutcomeList {
                version: context.version,
                outcomes,
                names,
            };
            Response::json(StatusCode::OK, context.accepted, &Results { results })
        }
    }
}

/// 207 with what became of each.
fn batch_answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    destination: Destination<'_>,
    answers: &[Answer],
    places: &[ItemPlace],
    names: Option<&Names>,
) -> Result<Response, Problem> {
    let mut results = Vec::with_capacity(answers.len());
    for (answer, place) in answers.iter().zip(places) {
        results.push(match (answer, destination) {
            (Ok(outcomes), Destination::Path(_)) => BatchResult::One(OutcomeBody {
                status_code: Some(StatusCode::OK.as_u16()),
                version: context.version,
                outcome: only(outcomes)?,
                names,
            }),
            (Ok(outcomes), Destination::Body) => BatchResult::Several(OutcomeList {
                version: context.version,
                outcomes,
                names,
            }),
            (Err(refusal), _) => BatchResult::Refused {
                problem: Problem::of_refusal(refusal, place),
                trace_id: context.trace_id,
            },
        });
    }
    Response::json(StatusCode::MULTI_STATUS, context.accepted, &Results { results })
}

/// The outcome on the one leaderboard of the path.
fn only(outcomes: &[Outcome]) -> Result<&Outcome, Problem> {
    outcomes
        .first()
        .ok_or_else(|| Problem::internal("a submission has no outcome"))
}

/// `DELETE /leaderboards/{id}/scores/{player}?period=`: removes the player's entry.
///
/// # Errors
/// The problem to answer with.
pub async fn remove<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    let selector = Query::parse(context.query, &["period"])?.period()?;
    audit::record_act(context).await?;
    let removed = usecase::remove_entry(
        &context.deps(),
        &context.tenant,
        &context.caller,
        &leaderboard,
        &player,
        &selector,
    )
    .await;
    // An entry that is not there may have been removed by a call whose answer was lost. Where the store does not answer, a
    // leaderboard that this instance does not know may be one that somebody invented, and nothing was removed from it.
    let perhaps_removed = match &removed {
        Ok(_) | Err(QueryError::UnknownEntry) => true,
        Err(QueryError::Store(_)) => {
            leaderboard_responses::has_seen_leaderboard(context.env, &context.tenant, &leaderboard)
        }
        Err(_) => false,
    };
    if perhaps_removed {
        leaderboard_responses::purge_and_announce(context.env, &context.tenant, Some(&leaderboard));
    }
    removed.map_err(|error| Problem::of_query(error, &context.caller))?;
    Ok(leaderboard_responses::with_invalidated_groups(
        Response::no_content(),
        &context.tenant,
        [&leaderboard],
    ))
}
