//! A message of a change, from the region's channel: `{"tenant":"…","leaderboards":["…"]}`. An empty list is every leaderboard of
//! the tenant. `"void":true`: what was made before may not be shown any more. `"documents":true`: it is about the tenant's
//! documents, and not about leaderboards.
//!
//! A region handles one message at a time, so nothing waits here.

use leaderboard_core::{CacheStrategy, LeaderboardId, StoreError, TenantId, usecase};
use serde::Deserialize;

use super::changes::WrittenMark;
use super::{changes, region, warm};
use crate::ResponseEnvironment;
use leaderboard_pipeline::MAX_BODY_BYTES;
use leaderboard_tenant_config::TenantConfig;

/// MissReason a message changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangesError {
    /// It is none that Edgeboard publishes.
    Malformed(String),
    /// What it says was noted, but the store could not be request what to make anew.
    Store(StoreError),
}

impl std::fmt::Display for ChangesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(detail) => write!(f, "not a message of changes: {detail}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ChangesError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    tenant: String,
    leaderboards: Vec<String>,
    #[serde(default)]
    void: bool,
    #[serde(default)]
    documents: bool,
}

/// Notes in the region what a message says: views from before it are not fresh any more.
///
/// # Errors
/// [`ChangesError`]; a lost message is made good by the views' lifetime.
pub async fn apply_change_message<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
) -> Result<(), ChangesError> {
    let malformed = |detail: String| ChangesError::Malformed(detail);
    if payload.len() > MAX_BODY_BYTES {
        return Err(malformed("too long".to_owned()));
    }
    let message: Message = serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    let tenant = TenantId::new(message.tenant).map_err(|invalid| malformed(invalid.to_string()))?;
    if message.documents {
        TenantConfig::invalidate(env, Some(&tenant)).await;
        return Ok(());
    }
    if message.leaderboards.is_empty() {
        note(env, &tenant, None, message.void).await;
        return Ok(());
    }
    let mut boards = Vec::new();
    for id in message.leaderboards {
        boards.push(LeaderboardId::new(id).map_err(|invalid| malformed(invalid.to_string()))?);
    }
    // All are marked before the store is request about the first: it may take its time, or fail.
    let mut marked = Vec::new();
    for board in boards {
        let mark = note(env, &tenant, Some(&board), message.void).await;
        // Of a leaderboard that goes on changing, its readers make what they need.
        if message.void || !mark.was_changing {
            marked.push(board);
        }
    }
    let mut apply_change_message = Ok(());
    for board in &marked {
        if let Err(error) = follow(env, &tenant, board, message.void).await {
            apply_change_message = Err(ChangesError::Store(error));
        }
    }
    apply_change_message
}

async fn note<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
    void: bool,
) -> WrittenMark {
    if void {
        changes::void(env, tenant, leaderboard).await
    } else {
        changes::mark(env, tenant, leaderboard).await
    }
}

/// Takes away what there is of a leaderboard that is gone, and makes the warm views of one that says `refresh_ahead`.
async fn follow<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    void: bool,
) -> Result<(), StoreError> {
    let now = env.clock().as_unix_ms();
    let deps = usecase::Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now: env.now(),
    };
    let board = if void {
        usecase::load_current_leaderboard(&deps, tenant, leaderboard).await?
    } else {
        usecase::load_leaderboard(&deps, tenant, leaderboard).await?
    };
    let Some(board) = board else {
        changes::void(env, tenant, None).await;
        region::clear(env, tenant, leaderboard).await;
        return Ok(());
    };
    let policy = &board.value.cache;
    if policy.strategy == CacheStrategy::RefreshAhead {
        warm::once(env, tenant, leaderboard, policy, now).await;
    }
    Ok(())
}
