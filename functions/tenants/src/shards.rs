//! On which shard a tenant lives, and moves to another shard.

use http::StatusCode;
use http::header::RETRY_AFTER;
use leaderboard_core::TenantId;
use leaderboard_core::ports::{MoveProgress, MoveRefusal, Shards};

use leaderboard_api::wire::shard::{ShardBody, read as read_shard};
use leaderboard_api::{Problem, ProblemType, Query, Response, json};
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;

/// How long one request continues a move, in milliseconds. A move takes as many requests as it needs.
const MOVE_BUDGET_MS: i64 = 2_000;
/// How long a request waits for the queue before it looks again, in milliseconds.
const DRAIN_PAUSE_MS: u64 = 50;

/// `GET /tenants/{id}/shard`: returns the shard on which a tenant lives.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &TenantId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let shard = context.env.store().find_shard(id).await?;
    Response::json(StatusCode::OK, context.accepted, &ShardBody::new(id, shard))
}

/// `PUT /tenants/{id}/shard`: moves a tenant to a shard. The response is 202 with the state of the move until a request finds the move
/// done. A request with the shard where the tenant lives ends a move that is not `cleaning` yet.
///
/// # Errors
/// The problem to answer with; 409 while the tenant is being moved to another shard.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &TenantId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let (env, store) = (context.env, context.env.store());
    let to = read_shard(&json::parse(context.body)?, store.count_shards())?;
    audit::record_audit_event(context).await?;
    let ends_at = env.clock().saturating_add_ms(MOVE_BUDGET_MS);
    let progress = loop {
        let progress = match store.move_tenant(id, to).await? {
            Ok(progress) => progress,
            Err(refusal) => return Err(describe_refusal(refusal)),
        };
        if progress == MoveProgress::Done || env.clock() >= ends_at {
            break progress;
        }
        if progress == MoveProgress::Draining {
            env.pause(DRAIN_PAUSE_MS).await;
        }
    };
    let body = ShardBody::of_move(id, to, progress);
    if progress == MoveProgress::Done {
        return Response::json(StatusCode::OK, context.accepted, &body);
    }
    Ok(Response::json(StatusCode::ACCEPTED, context.accepted, &body)?.with(RETRY_AFTER, "0"))
}

fn describe_refusal(refusal: MoveRefusal) -> Problem {
    match refusal {
        MoveRefusal::MovingTo(target) => Problem::new(ProblemType::Conflict).with_detail(format!(
            "The tenant is being moved to shard {target}. Finish that move, or end it with the shard where the tenant lives."
        )),
        // The number was checked with the number of shards.
        MoveRefusal::NoSuchShard => Problem::new(ProblemType::Conflict),
    }
}
