//! Compares entries with the event log, and corrects them.

use http::StatusCode;
use leaderboard_core::ports::{DocumentKind, Documents};
use leaderboard_core::usecase::{ComparisonCursor, ComparisonQuery};
use leaderboard_core::{LeaderboardId, usecase};

use leaderboard_api::wire::comparison::comparison;
use leaderboard_api::wire::cursor;
use leaderboard_api::{Problem, ProblemType, Query, Response};
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::{ResponseEnvironment, units_of_comparison};

/// `POST /leaderboards/{id}/rebuild?period=&swap=&after=`: replays the event log, compares the entries of a period with the result, and
/// corrects them with `swap=true`.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn rebuild<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["period", "swap", "after"])?;
    let decode = |bytes: &[u8]| ComparisonCursor::decode(bytes).ok();
    let after = query
        .text("after")?
        .map(|text| cursor::parse_parameter("after", &text, decode));
    let query = ComparisonQuery {
        period: query.period()?,
        after: after.transpose()?,
        swap: query.flag("swap")?,
    };
    if query.swap {
        refuse_during_erasure(context).await?;
    }
    context.charge_more(units_of_comparison());
    audit::record_audit_event(context).await?;
    let max_log_bytes = context.tenant_config.tenant.quotas.max_log_bytes();
    let found = usecase::compare_entries(&context.deps(), &id, &query, Some(max_log_bytes)).await;
    if query.swap {
        // Also after an error: some entries may have been corrected.
        leaderboard_responses::purge_and_announce(context.env, context.tenant, Some(&id));
    }
    let found = found.map_err(|error| Problem::of_query(error, &context.caller))?;
    Response::json(
        StatusCode::OK,
        context.accepted,
        &comparison(context.version, &id, &found),
    )
}

/// Refuses corrections while an erasure has entries with a pseudonym whose events still name the player: a correction would restore the
/// player.
async fn refuse_during_erasure<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<(), Problem> {
    let kind = DocumentKind::Erasure;
    let store = context.env.store();
    let unfinished = store.list_documents(Some(context.tenant), kind, None, 1).await?;
    if unfinished.is_empty() {
        return Ok(());
    }
    let detail =
        "An erasure of a player is not finished. Send its request again until it is, and then this one.";
    Err(Problem::new(ProblemType::Erasing).with_detail(detail))
}
