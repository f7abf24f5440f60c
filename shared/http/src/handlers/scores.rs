//! Taking scores in, taking them out, and what became of messages.

use http::{HeaderName, StatusCode};
use leaderboard_core::ports::{DeadLetters, RankDetail, Scores as _, Submitted};
use leaderboard_core::usecase::QueryError;
use leaderboard_core::{LeaderboardId, Outcome, PlayerId, Refusal, Status, StoreError, usecase};
use serde::Serialize;

use super::names::names_for;
use super::{idempotency, prefer};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::problem::{ItemPlace, Problem, ProblemType};
use crate::query::Query;
use crate::response::Response;
use crate::views;
use crate::wire::outcome::{BatchResult, OutcomeBody, OutcomeList, Results};
use crate::wire::submission::{Destination, Scores, scores};
use crate::wire::{ListBody, Names};

/// How many dead letters a page has unless asked otherwise.
const DEFAULT_LETTERS: u32 = 100;
/// The most dead letters on a page.
const MAX_LETTERS: u32 = 1000;
/// Tells which preference was followed (RFC 7240).
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `POST /leaderboards/{id}/scores`: one submission, or a batch of them.
///
/// # Errors
/// The problem to answer with.
pub async fn submit<E: Environment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    take(context, Destination::Path(&leaderboard)).await
}

/// `POST /scores`: likewise, each submission with its own `leaderboards`.
///
/// # Errors
/// The problem to answer with.
pub async fn submit_many<E: Environment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    take(context, Destination::Body).await
}

async fn take<E: Environment>(
    context: &Context<'_, E>,
    destination: Destination<'_>,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let minimal = prefer::wants_minimal(context.headers);
    let Scores { mut items, batch } = scores(context.body, destination)?;
    idempotency::apply(context.headers, context.body, &mut items)?;
    let (submissions, places): (Vec<_>, Vec<_>) = items
        .into_iter()
        .map(|item| (item.submission, item.place))
        .unzip();
    let ranks = if minimal {
        RankDetail::Omitted
    } else {
        RankDetail::Full
    };
    let mut terms = context.submit_terms(ranks);
    terms.metering.usage.scores = u64::try_from(submissions.len()).unwrap_or(u64::MAX);
    let Submitted { metered, answers } = usecase::submit(
        &context.deps(),
        &context.tenant,
        &context.caller,
        &submissions,
        &terms,
    )
    .await
    // Whether they were taken in is not known.
    .inspect_err(|_| views::perhaps_submitted(context.env, &context.tenant, submissions.iter()))?;
    let refused = metered.refused;
    *context.metered.borrow_mut() = Some(metered);
    if refused {
        return Err(Problem::new(ProblemType::TooManyRequests));
    }
    let outcomes = || answers.iter().flatten().flatten();
    views::submitted(context.env, &context.tenant, outcomes());
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
        views::invalidating(response, &context.tenant, changed)
    } else {
        response
    };
    Ok(if minimal {
        response.with(PREFERENCE_APPLIED, "return=minimal")
    } else {
        response
    })
}

type Answer = Result<Vec<Outcome>, Refusal>;

/// 200 with the outcome, or with one for each leaderboard; a refusal is the answer itself.
fn single_answer<E: Environment>(
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
fn batch_answer<E: Environment>(
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
pub async fn remove<E: Environment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Response, Problem> {
    let selector = Query::parse(context.query, &["period"])?.period()?;
    let removed = usecase::remove(
        &context.deps(),
        &context.tenant,
        &context.caller,
        &leaderboard,
        &player,
        &selector,
    )
    .await;
    // An entry that is not there may have been removed by a call whose answer was lost.
    if let Ok(_) | Err(QueryError::UnknownEntry | QueryError::Store(_)) = &removed {
        views::changed(context.env, &context.tenant, Some(&leaderboard));
    }
    removed.map_err(|error| Problem::of_query(error, &context.caller))?;
    Ok(views::invalidating(
        Response::no_content(),
        &context.tenant,
        [&leaderboard],
    ))
}

/// `PUT /players/{player}/ban`: hides the player in every leaderboard of the tenant.
///
/// # Errors
/// The problem to answer with.
pub async fn ban<E: Environment>(context: &Context<'_, E>, player: PlayerId) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let (tenant, store) = (&context.tenant, context.env.store());
    let hidden = store.hide(tenant, &player, context.now).await;
    everywhere(context, hidden)
}

/// `DELETE /players/{player}/ban`: shows the player again.
///
/// # Errors
/// The problem to answer with.
pub async fn unban<E: Environment>(context: &Context<'_, E>, player: PlayerId) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let (tenant, store) = (&context.tenant, context.env.store());
    let restored = store.restore(tenant, &player, context.now).await;
    everywhere(context, restored)
}

/// All leaderboards of the tenant have changed; or some of them may have, where the store's answer is missing.
fn everywhere<E: Environment>(
    context: &Context<'_, E>,
    done: Result<(), StoreError>,
) -> Result<Response, Problem> {
    views::changed(context.env, &context.tenant, None);
    done?;
    Ok(views::invalidating(Response::no_content(), &context.tenant, []))
}

/// `GET /dead-letters?limit=`: the newest messages that could not be applied, of all tenants.
///
/// # Errors
/// The problem to answer with.
pub async fn dead_letters<E: Environment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Letter {
        at: String,
        reason: String,
        payload: String,
    }
    let query = Query::parse(context.query, &["limit"])?;
    let limit = query.integer("limit", 1, MAX_LETTERS)?.unwrap_or(DEFAULT_LETTERS);
    let letters = context.env.store().letters(limit).await?;
    let letters = letters
        .into_iter()
        .map(|letter| Letter {
            at: letter.at.to_string(),
            reason: letter.reason,
            payload: String::from_utf8_lossy(&letter.payload).into_owned(),
        })
        .collect();
    let list: ListBody<_> = ListBody::new(context.version, "letters", letters);
    Response::json(StatusCode::OK, context.accepted, &list)
}
