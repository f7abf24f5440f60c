//! A message that leaderboards changed, from the region's channel: `{"tenant":"…","leaderboards":["…"]}`. An empty list is every
//! leaderboard of the tenant, and its documents.

use leaderboard_core::{CacheStrategy, LeaderboardId, StoreError, TenantId, usecase};
use serde::Deserialize;

use super::{changes, warm};
use crate::MAX_BODY_BYTES;
use crate::edge::Knowledge;
use crate::environment::Environment;

/// Why a message changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangesError {
    /// It is none that Edgeboard publishes.
    Malformed(String),
    /// What it says was noted, but the store could not be asked what to make anew.
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
}

/// Notes in the region what a message says: views from before it are not fresh any more.
///
/// # Errors
/// [`ChangesError`]; a lost message is made good by the views' lifetime.
pub async fn heard<E: Environment>(env: &E, payload: &[u8]) -> Result<(), ChangesError> {
    let malformed = |detail: String| ChangesError::Malformed(detail);
    if payload.len() > MAX_BODY_BYTES {
        return Err(malformed("too long".to_owned()));
    }
    let message: Message = serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    let tenant = TenantId::new(message.tenant).map_err(|invalid| malformed(invalid.to_string()))?;
    if message.leaderboards.is_empty() {
        changes::mark(env, &tenant, None).await;
        Knowledge::renew(env, Some(&tenant)).await;
        return Ok(());
    }
    let mut boards = Vec::new();
    for id in message.leaderboards {
        boards.push(LeaderboardId::new(id).map_err(|invalid| malformed(invalid.to_string()))?);
    }
    for board in &boards {
        let until = changes::mark(env, &tenant, Some(board)).await;
        ahead(env, &tenant, board, until)
            .await
            .map_err(ChangesError::Store)?;
    }
    Ok(())
}

/// Makes the warm views of a leaderboard anew where it says `refresh_ahead`.
async fn ahead<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    until: i64,
) -> Result<(), StoreError> {
    let deps = usecase::Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now: env.now(),
    };
    let Some(board) = usecase::nearest(&deps, tenant, leaderboard).await? else {
        return Ok(());
    };
    let policy = &board.value.cache;
    if policy.strategy == CacheStrategy::RefreshAhead {
        warm::twice(env, tenant, leaderboard, policy, until).await;
    }
    Ok(())
}
