//! Leaderboards' configurations.

use http::StatusCode;
use leaderboard_core::ports::Expected;
use leaderboard_core::ports::PutRefusal;
use leaderboard_core::{Leaderboard, LeaderboardId, Versioned, usecase};

use super::paging::{PARAMETERS, Paging, next};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::json;
use crate::pipeline::Preconditions;
use crate::problem::{Problem, ProblemType};
use crate::query::Query;
use crate::response::Response;
use crate::views;
use crate::wire::ListBody;
use crate::wire::leaderboard::{LeaderboardBody, read as read_document};

/// The most leaderboards on a page.
const MAX_LIMIT: u32 = 200;
/// How often a patch is applied anew because someone else changed the leaderboard at the same time.
const MAX_PATCH_ATTEMPTS: u32 = 4;

/// `GET /leaderboards?limit=&cursor=`: the configurations, in order of their ids.
///
/// # Errors
/// The problem to answer with.
pub async fn list<E: Environment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &PARAMETERS)?;
    let paging = Paging::of(&query, MAX_LIMIT, |id| LeaderboardId::new(id).ok())?;
    let (deps, after) = (context.deps(), paging.after.as_ref());
    let found = usecase::list_leaderboards(&deps, &context.tenant, after, paging.asked()).await?;
    let (shown, more) = paging.shown(found);
    let boards: Vec<LeaderboardBody<'_>> = shown.iter().map(|board| (&board.value).into()).collect();
    let page =
        ListBody::new(context.version, "leaderboards", boards)
            .with_next(next(&shown, more, |board| board.value.id.to_string()));
    Response::json(StatusCode::OK, context.accepted, &page)
}

/// `GET /leaderboards/{id}`, with its entity tag; 304 when the client has it already.
///
/// # Errors
/// The problem to answer with.
pub async fn read<E: Environment>(context: &Context<'_, E>, id: LeaderboardId) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let board = current(context, &id).await?;
    if !preconditions.match_holds(Some(board.version)) {
        return Err(Problem::new(ProblemType::PreconditionFailed));
    }
    if !preconditions.none_match_holds(Some(board.version)) {
        return Ok(Response::empty(StatusCode::NOT_MODIFIED)
            .with_etag(board.version)
            .revalidated());
    }
    document(context, StatusCode::OK, &board.value, board.version).map(Response::revalidated)
}

/// `PUT /leaderboards/{id}?rebuild=`: creates (201) or replaces (200).
///
/// # Errors
/// The problem to answer with.
pub async fn put<E: Environment>(context: &Context<'_, E>, id: LeaderboardId) -> Result<Response, Problem> {
    let rebuild = Query::parse(context.query, &["rebuild"])?.flag("rebuild")?;
    let preconditions = Preconditions::of(context.headers)?;
    let board = read_document(&json::parse(context.body)?, &id)?;
    let expected = if preconditions.exist() {
        let there = usecase::get(&context.deps(), &context.tenant, &id).await?;
        preconditions.expected(there.map(|board| board.version))?
    } else {
        Expected::Any
    };
    match usecase::put(
        &context.deps(),
        &context.tenant,
        &board,
        expected,
        rebuild,
        context.knowledge.tenant.quotas.leaderboards,
    )
    .await
    .inspect(|put| told(context, &id, put.is_ok()))
    .inspect_err(|_| told(context, &id, true))?
    {
        Ok((version, true)) => Ok(changed(context, StatusCode::CREATED, &board, version)?
            .with_location(&format!("{}/leaderboards/{id}", context.version.base_path()))),
        Ok((version, false)) => changed(context, StatusCode::OK, &board, version),
        Err(refusal) => Err(Problem::of_put(&refusal)),
    }
}

/// `PATCH /leaderboards/{id}?rebuild=`: a merge patch (RFC 7396) of the document that GET shows.
///
/// # Errors
/// The problem to answer with.
pub async fn patch<E: Environment>(context: &Context<'_, E>, id: LeaderboardId) -> Result<Response, Problem> {
    let rebuild = Query::parse(context.query, &["rebuild"])?.flag("rebuild")?;
    let preconditions = Preconditions::of(context.headers)?;
    let patch = json::parse(context.body)?;
    let mut errors = json::Errors::default();
    json::check_width(&patch, &json::Pointer::Root, &mut errors);
    errors.check()?;
    for _ in 0..MAX_PATCH_ATTEMPTS {
        let there = current(context, &id).await?;
        preconditions.expected(Some(there.version))?;
        let expected = Expected::Version(there.version);
        let board = patched(&there.value, &patch)?;
        match usecase::put(
            &context.deps(),
            &context.tenant,
            &board,
            expected,
            rebuild,
            context.knowledge.tenant.quotas.leaderboards,
        )
        .await
        .inspect(|put| told(context, &id, put.is_ok()))
        .inspect_err(|_| told(context, &id, true))?
        {
            Ok((version, _)) => return changed(context, StatusCode::OK, &board, version),
            Err(PutRefusal::VersionMismatch { .. }) => {}
            Err(refusal) => return Err(Problem::of_put(&refusal)),
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// `DELETE /leaderboards/{id}`: with all its data.
///
/// # Errors
/// The problem to answer with.
pub async fn delete<E: Environment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let expected = if preconditions.exist() {
        let there = current(context, &id).await?;
        preconditions.expected(Some(there.version))?
    } else {
        Expected::Any
    };
    let deleted = usecase::delete(&context.deps(), &context.tenant, &id, expected).await;
    // One that is not there may have been deleted by a call whose answer was lost.
    if !matches!(deleted, Ok(Err(_))) {
        views::deleted(context.env, &context.tenant, &id);
    }
    match deleted? {
        Ok(true) => Ok(views::invalidating(
            Response::no_content(),
            &context.tenant,
            [&id],
        )),
        Ok(false) => Err(Problem::new(ProblemType::LeaderboardNotFound)),
        Err(refusal) => Err(Problem::of_put(&refusal)),
    }
}

async fn current<E: Environment>(
    context: &Context<'_, E>,
    id: &LeaderboardId,
) -> Result<Versioned<Leaderboard>, Problem> {
    usecase::get(&context.deps(), &context.tenant, id)
        .await?
        .ok_or_else(|| Problem::new(ProblemType::LeaderboardNotFound))
}

/// The leaderboard with a patch applied to its document.
fn patched(there: &Leaderboard, patch: &json::Json<'_>) -> Result<Leaderboard, Problem> {
    let text = serde_json::to_vec(&LeaderboardBody::from(there))
        .map_err(|error| Problem::internal(format!("a configuration cannot be written: {error}")))?;
    let merged = json::merge(Some(json::parse(&text)?), patch.clone());
    read_document(&merged, &there.id)
}

/// Lets everybody know that a leaderboard's configuration changed, or may have: where the store's answer is missing.
fn told<E: Environment>(context: &Context<'_, E>, id: &LeaderboardId, changed: bool) {
    if changed {
        views::changed(context.env, &context.tenant, Some(id));
    }
}

/// The answer to who changed it.
fn changed<E: Environment>(
    context: &Context<'_, E>,
    status: StatusCode,
    board: &Leaderboard,
    version: u64,
) -> Result<Response, Problem> {
    let answer = document(context, status, board, version)?;
    Ok(views::invalidating(answer, &context.tenant, [&board.id]))
}

fn document<E: Environment>(
    context: &Context<'_, E>,
    status: StatusCode,
    board: &Leaderboard,
    version: u64,
) -> Result<Response, Problem> {
    let body = LeaderboardBody::from(board);
    Ok(Response::json(status, context.accepted, &body)?.with_etag(version))
}
