//! Reads and changes the configurations of leaderboards.

use http::StatusCode;
use http::header::CACHE_CONTROL;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Expected, PutRefusal};
use leaderboard_core::usecase::StoredLeaderboard;
use leaderboard_core::{
    Leaderboard, LeaderboardId, Period, PeriodSelector, ReadAccess, StoreError, Versioned, usecase,
};

use leaderboard_api::query::invalid;
use leaderboard_api::{Preconditions, Problem, ProblemType, Query, Response, json};
use leaderboard_pipeline::documents::{apply_patch, read_patch};
use leaderboard_pipeline::paging::{Page, Paging};
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;

use leaderboard_api::wire::leaderboard::{LeaderboardBody, PublicBody, read as read_document};
use leaderboard_responses::CachedRead;

/// The most leaderboards on a page.
const MAX_LIMIT: u32 = 200;
/// How many leaderboards each call of the store lists after the first, for a caller who may not read all of them.
const LISTED_AT_ONCE: u32 = 500;
/// The most leaderboards that the caller may not read that one request skips.
const MAX_PASSED_OVER: u32 = 5_000;
/// The `Cache-Control` of responses that differ between callers at the same address.
const NOT_SHARED: &str = "private, no-cache";
/// How often a patch is applied again because another request changed the leaderboard at the same time.
const MAX_PATCH_ATTEMPTS: u32 = 4;

/// `GET /leaderboards?limit=&cursor=`: the leaderboards in the order of their ids. An administrator gets the configurations; other
/// callers get the public part of those whose entries they can read.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    let paging = Paging::parse(context.query, MAX_LIMIT, |id| LeaderboardId::new(id).ok())?;
    // The charge depends on the requested page only. If skipped leaderboards counted, the charge would reveal how many there are.
    context.charge_more(leaderboard_responses::units_of_listed_leaderboards(paging.limit));
    let page = readable(context, &paging).await?;
    let id = |(board, _): &(Leaderboard, Period)| board.id.to_string();
    let list = if context.caller == Caller::Admin {
        page.respond(context, "leaderboards", id, |(board, _)| {
            LeaderboardBody::from(board)
        })
    } else {
        page.respond(context, "leaderboards", id, |(board, period)| {
            PublicBody::new(board, period)
        })
    };
    Ok(list?.with(CACHE_CONTROL, NOT_SHARED))
}

/// Returns a page of the leaderboards that the caller may read, each with its current period. If [`MAX_PASSED_OVER`]
/// leaderboards that the caller may not read have been skipped, the list ends. Neither the cursor nor the length of a page
/// reveals these leaderboards: otherwise a caller could find out with invented cursors which ids exist.
async fn readable<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    paging: &Paging<LeaderboardId>,
) -> Result<Page<(Leaderboard, Period)>, Problem> {
    let deps = context.deps();
    let wanted = usize::try_from(paging.page_size_and_one()).unwrap_or(usize::MAX);
    let mut after = paging.after.clone();
    let mut at_once = paging.page_size_and_one();
    let mut found = Vec::new();
    for _ in 0..MAX_PASSED_OVER / LISTED_AT_ONCE {
        let listed = usecase::list_leaderboards(&deps, after.as_ref(), at_once).await?;
        let more = listed.len() >= usize::try_from(at_once).unwrap_or(usize::MAX);
        after = listed.last().map(|board| board.value.id.clone());
        let readable = |board: &Versioned<Leaderboard>| context.caller.may_read(board.value.access);
        found.extend(listed.into_iter().filter(readable));
        if found.len() >= wanted || !more {
            break;
        }
        at_once = LISTED_AT_ONCE;
    }
    paging.page_of(found).try_map(|board| {
        let period = board.value.schedule.period_at(context.now);
        Ok((board.value, period))
    })
}

/// `GET /leaderboards/{id}`: returns the configuration with its entity tag to an administrator, and the public part to other
/// callers who may read the leaderboard's entries; 304 if the client has the document already.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    if context.caller != Caller::Admin {
        return leaderboard_responses::answer_read(context, id, CachedRead::Leaderboard)
            .await
            .map_err(|problem| {
                // A private leaderboard looks like a missing one.
                if context.caller == Caller::Anonymous && problem.kind == ProblemType::Unauthenticated {
                    Problem::new(ProblemType::LeaderboardNotFound)
                } else {
                    problem
                }
            });
    }
    let preconditions = Preconditions::of(context.headers)?;
    let board = current(context, &id).await?;
    let response = match preconditions.unchanged(board.version)? {
        Some(response) => response,
        None => document(context, StatusCode::OK, &board.value, board.version)?,
    };
    Ok(response.with(CACHE_CONTROL, NOT_SHARED))
}

/// `PUT /leaderboards/{id}?rebuild=&period=`: creates (201) or replaces (200) the leaderboard.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    let rebuilt = read_rebuilt(context.query)?;
    let preconditions = Preconditions::of(context.headers)?;
    let sent = json::parse(context.body)?;
    let board = read_document(&sent, &id).map_err(|problem| problem.pointing_into(&sent))?;
    let expected = if preconditions.exist() {
        let there = usecase::read_leaderboard(&context.deps(), &id).await?;
        preconditions.expected(there.map(|board| board.version))?
    } else {
        Expected::Any
    };
    audit::record_audit_event(context).await?;
    match store(context, &board, expected, rebuilt.as_ref()).await? {
        Ok(stored) if stored.created => Ok(changed(context, StatusCode::CREATED, &stored.leaderboard)
            .await?
            .with_location(&format!("{}/leaderboards/{id}", context.version.base_path()))),
        Ok(stored) => changed(context, StatusCode::OK, &stored.leaderboard).await,
        Err(refusal) => Err(refused(context, &board, &refusal, &preconditions)
            .await
            .pointing_into(&sent)),
    }
}

/// `PATCH /leaderboards/{id}?rebuild=&period=`: applies a merge patch (RFC 7396) to the document that `GET` returns.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn patch<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    let rebuilt = read_rebuilt(context.query)?;
    let preconditions = Preconditions::of(context.headers)?;
    let patch = read_patch(context)?;
    for _ in 0..MAX_PATCH_ATTEMPTS {
        let there = current(context, &id).await?;
        preconditions.expected(Some(there.version))?;
        let expected = Expected::Version(there.version);
        let body = LeaderboardBody::from(&there.value);
        let board = apply_patch(&body, &patch, |merged| read_document(merged, &id))
            .map_err(|problem| problem.pointing_into(&patch))?;
        audit::record_audit_event(context).await?;
        match store(context, &board, expected, rebuilt.as_ref()).await? {
            Ok(stored) => return changed(context, StatusCode::OK, &stored.leaderboard).await,
            Err(PutRefusal::VersionMismatch { .. }) => {}
            Err(refusal) => {
                return Err(refused(context, &board, &refusal, &preconditions)
                    .await
                    .pointing_into(&patch));
            }
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// `DELETE /leaderboards/{id}`: deletes the leaderboard with all its data.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn delete<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    // Only an existing leaderboard is invalidated, so an invented id costs no more than this look-up.
    let there = current(context, &id).await?;
    let expected = if preconditions.exist() {
        preconditions.expected(Some(there.version))?
    } else {
        Expected::Any
    };
    audit::record_audit_event(context).await?;
    let deleted = usecase::delete_leaderboard(&context.deps(), &id, expected).await;
    // An earlier call whose response was lost may have deleted it.
    if matches!(deleted, Ok(Ok(true)) | Err(_)) {
        leaderboard_responses::purge_deleted(context.env, context.tenant, &id);
    }
    match deleted? {
        Ok(true) => {
            usecase::delete_activity(context.env.store(), context.tenant, &id).await?;
            leaderboard_responses::sweep_later(context.env, context.tenant);
            let response = Response::no_content();
            Ok(leaderboard_responses::with_invalidated_groups(
                response,
                context.tenant,
                [&id],
            ))
        }
        Ok(false) => Err(Problem::new(ProblemType::LeaderboardNotFound)),
        Err(refusal) => Err(Problem::of_put(&refusal, &preconditions)),
    }
}

/// Reads the parameters of a rebuild. Returns the period whose stored counts are verified; `None` if the request does not rebuild.
fn read_rebuilt(query: &str) -> Result<Option<PeriodSelector>, Problem> {
    let query = Query::parse(query, &["rebuild", "period"])?;
    let period = query.period()?;
    if query.flag("rebuild")? {
        return Ok(Some(period));
    }
    match query.text("period")? {
        Some(_) => Err(invalid("period", "needs rebuild=true")),
        None => Ok(None),
    }
}

async fn current<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &LeaderboardId,
) -> Result<Versioned<Leaderboard>, Problem> {
    usecase::read_leaderboard(&context.deps(), id)
        .await?
        .ok_or_else(|| Problem::new(ProblemType::LeaderboardNotFound))
}

/// Stores a configuration and announces the change. If the store returns an error, announces the change as well, because the
/// store may have applied it.
async fn store<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    board: &Leaderboard,
    expected: Expected,
    rebuilt: Option<&PeriodSelector>,
) -> Result<Result<StoredLeaderboard, PutRefusal>, StoreError> {
    let most = context.tenant_config.tenant.quotas.leaderboards;
    let deps = context.deps();
    let mut put = usecase::put_leaderboard(&deps, board, expected, rebuilt, most).await;
    if matches!(put, Ok(Err(PutRefusal::ImportUnderWay))) && usecase::discard_abandoned_import(&deps).await? {
        put = usecase::put_leaderboard(&deps, board, expected, rebuilt, most).await;
    }
    if !matches!(&put, Ok(Err(refusal)) if !refusal.is_stored()) {
        leaderboard_responses::purge_and_announce(context.env, context.tenant, Some(&board.id));
    }
    put
}

/// Returns the problem for a configuration that was refused, in whole or in part. If a part was stored and the leaderboard is
/// private now, first purges the cached responses that everybody may read.
async fn refused<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    board: &Leaderboard,
    refusal: &PutRefusal,
    preconditions: &Preconditions,
) -> Problem {
    if refusal.is_stored()
        && board.access.read == ReadAccess::Private
        && let Err(problem) =
            leaderboard_responses::purge_made_private(context.env, context.tenant, &board.id).await
    {
        return problem;
    }
    Problem::of_put(refusal, preconditions)
}

/// Returns the response to a stored configuration. If the leaderboard is private, first purges the cached responses that
/// everybody may read.
///
/// # Errors
/// 503 if the purge fails.
async fn changed<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    status: StatusCode,
    board: &Versioned<Leaderboard>,
) -> Result<Response, Problem> {
    if board.value.access.read == ReadAccess::Private {
        leaderboard_responses::purge_made_private(context.env, context.tenant, &board.value.id).await?;
    }
    let answer = document(context, status, &board.value, board.version)?;
    Ok(leaderboard_responses::with_invalidated_groups(
        answer,
        context.tenant,
        [&board.value.id],
    ))
}

fn document<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    status: StatusCode,
    board: &Leaderboard,
    version: u64,
) -> Result<Response, Problem> {
    let body = LeaderboardBody::from(board);
    Ok(Response::json(status, context.accepted, &body)?.with_etag(version))
}
