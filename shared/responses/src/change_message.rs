//! Applies a message about a change, from the region's channel: `{"tenant":"…","leaderboards":["…"]}`. An empty list means every
//! leaderboard of the tenant. `"positions":[…]` has the position of the change in the log of each named leaderboard. With
//! `"void":true`, the message purges. With `"documents":true`, the tenant's documents changed, but not its leaderboards. With `"probe":{"region":"…","sent_at_ms":…}`, nothing changed: the region of this name measures how long
//! the message took.
//!
//! A region handles one message at a time, so the code here must not pause.

use leaderboard_core::{CacheStrategy, LeaderboardId, StoreError, TenantId};
use serde::Deserialize;

use super::invalidation::{self, WrittenTombstone};
use super::{build_deps, key_value_tier, warm};
use crate::ResponseEnvironment;
use leaderboard_pipeline::{MAX_BODY_BYTES, regions};
use leaderboard_tenant_config::TenantConfig;

/// Why a message could not be applied completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangesError {
    /// The message is not one that Edgeboard publishes.
    Malformed(String),
    /// The tombstones are written, but the store did not answer when it was asked for the leaderboard's configuration.
    Store(StoreError),
}

impl std::fmt::Display for ChangesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(detail) => write!(f, "not a message about a change: {detail}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ChangesError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeMessage {
    tenant: String,
    leaderboards: Vec<String>,
    /// Missing in the messages of earlier versions, and of changes without a position.
    #[serde(default)]
    positions: Vec<u64>,
    #[serde(default, rename = "void")]
    purges: bool,
    #[serde(default)]
    documents: bool,
    #[serde(default)]
    probe: Option<Probe>,
}

/// A message from which a region measures its lag.
#[derive(Deserialize)]
struct Probe {
    region: String,
    sent_at_ms: i64,
}

/// Invalidates or purges the leaderboards that a message names, in this region.
///
/// # Errors
/// [`ChangesError`]. If a message is lost, readers see old responses until their lifetime ends.
pub async fn apply_change_message<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
) -> Result<(), ChangesError> {
    let malformed = ChangesError::Malformed;
    if payload.len() > MAX_BODY_BYTES {
        return Err(malformed("too long".to_owned()));
    }
    let message: ChangeMessage =
        serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    let tenant = TenantId::new(message.tenant).map_err(|invalid| malformed(invalid.to_string()))?;
    if let Some(probe) = message.probe {
        regions::store_lag(env, &probe.region, probe.sent_at_ms).await;
        return Ok(());
    }
    if message.documents {
        TenantConfig::invalidate(env, &tenant).await;
        return Ok(());
    }
    if message.leaderboards.is_empty() {
        write_tombstone(env, &tenant, None, message.purges, 0).await;
        return Ok(());
    }
    let mut boards = Vec::new();
    for id in message.leaderboards {
        boards.push(LeaderboardId::new(id).map_err(|invalid| malformed(invalid.to_string()))?);
    }
    // Write all tombstones before asking the store about the first leaderboard: the store may be slow or fail.
    let mut changed = Vec::new();
    let positions = message.positions.into_iter().chain(std::iter::repeat(0));
    for (board, position) in boards.into_iter().zip(positions) {
        let tombstone = write_tombstone(env, &tenant, Some(&board), message.purges, position).await;
        // While a leaderboard keeps changing, its readers fetch what they need.
        if message.purges || !tombstone.was_changing {
            changed.push(board);
        }
    }
    let mut result = Ok(());
    for board in &changed {
        if let Err(error) = warm_or_delete(env, &tenant, board, message.purges).await {
            result = Err(ChangesError::Store(error));
        }
    }
    result
}

async fn write_tombstone<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
    purges: bool,
    position: u64,
) -> WrittenTombstone {
    if purges {
        invalidation::purge(env, tenant, leaderboard).await
    } else {
        invalidation::invalidate(env, tenant, leaderboard, position).await
    }
}

/// Deletes the cached responses of a leaderboard that no longer exists, or makes the warm entries of one whose strategy is
/// `refresh_ahead`.
async fn warm_or_delete<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    purges: bool,
) -> Result<(), StoreError> {
    let now = env.clock().as_unix_ms();
    let deps = build_deps(env, tenant, env.now());
    let board = if purges {
        deps.load_current_leaderboard(leaderboard).await?
    } else {
        deps.load_leaderboard(leaderboard).await?
    };
    let Some(board) = board else {
        invalidation::purge(env, tenant, None).await;
        key_value_tier::delete_leaderboard(env, tenant, leaderboard).await;
        return Ok(());
    };
    let policy = &board.value.cache;
    if policy.strategy == CacheStrategy::RefreshAhead {
        warm::warm_leaderboard(env, tenant, leaderboard, policy, now).await;
    }
    Ok(())
}
