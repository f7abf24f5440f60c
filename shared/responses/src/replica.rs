//! Reads of entries from the region's replica (docs/decisions/0053).
//!
//! A region must not show less than it has acknowledged or has been told. So a read says which changes it needs
//! ([`NeededChanges`]), and the primary answers if the replica does not have them:
//!
//! * While a leaderboard is changing, its log up to the newest position that this region knows: of its own writes, and of messages
//!   from other regions. A write of this instance counts at once, that of another instance of the region when its tombstone is read.
//! * After that, everything that the primary had when the last known change ended, by the primary's clock.
//! * After a change without a position (a purge), everything that the primary had a second later.
//! * In any case, everything that the primary had [`MAX_REPLICA_LAG_MS`] ago, because a message can be lost.
//!
//! The primary's clock reaches the replica as one more change. Each probe of the store's readiness writes it, and so does an instance
//! whose replica was behind.

use leaderboard_core::ports::{NeededChanges, ReadSource, Replica, ReplicaRefusal};
use leaderboard_core::usecase::QueryError;
use leaderboard_core::{LeaderboardId, TenantId, Timestamp};

use super::invalidation::{self, INVALIDATION_MS, format_scope};
use super::request_directives::has_no_cache_directive;
use crate::ResponseEnvironment;
use leaderboard_cache::circuit_breaker;
use leaderboard_pipeline::Context;

/// How far a replica may be behind the primary, in milliseconds, although the region knows of no change that the replica lacks.
pub const MAX_REPLICA_LAG_MS: i64 = 5_000;
/// How long an instance does not write the primary's clock again, in milliseconds.
const CLOCK_INTERVAL_MS: i64 = 1_000;
/// The most puts of one task that puts positions. If writes continue for longer, the next write begins another task.
const MAX_POSITION_PUTS: u32 = 1_000;

/// An error that says whether the replica refused a read.
pub(crate) trait ReplicaError {
    /// Returns the refusal; `None` for any other error.
    fn replica_refusal(&self) -> Option<&ReplicaRefusal>;
}

impl ReplicaError for QueryError {
    fn replica_refusal(&self) -> Option<&ReplicaRefusal> {
        match self {
            Self::Replica(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// Runs a read of a leaderboard's entries whose response no cache stores. The primary answers a client that asks for a response that is
/// newer than its request (`Cache-Control: no-cache`); otherwise, the region's replica may answer.
///
/// # Errors
/// The error of the read on the primary.
pub async fn read_uncached<E: ResponseEnvironment, T>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    read: impl AsyncFn(ReadSource) -> Result<T, QueryError>,
) -> Result<T, QueryError> {
    if has_no_cache_directive(context.headers) {
        return read(ReadSource::Primary).await;
    }
    read_entries(context.env, context.tenant, leaderboard, read).await
}

/// Runs a read of a leaderboard's entries: on the region's replica if it has the needed changes, and otherwise on the primary. An error
/// of the replica is never the result, because the replica may be behind.
///
/// # Errors
/// The error of the read on the primary.
pub(crate) async fn read_entries<E: ResponseEnvironment, T, F: ReplicaError>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    read: impl AsyncFn(ReadSource) -> Result<T, F>,
) -> Result<T, F> {
    let source = choose_source(env, tenant, leaderboard).await;
    if source != ReadSource::Primary {
        match read(source).await {
            Ok(found) => return Ok(found),
            Err(error) => match error.replica_refusal() {
                Some(ReplicaRefusal::Unavailable(cause)) => circuit_breaker::open_for_replica(env, cause),
                Some(ReplicaRefusal::Behind) => write_clock_later(env),
                None => {}
            },
        }
    }
    read(ReadSource::Primary).await
}

/// Returns where a read of a leaderboard's entries may go.
async fn choose_source<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> ReadSource {
    if !env.store().has_replica() {
        return ReadSource::Primary;
    }
    if circuit_breaker::is_open_for_replica(env).await {
        circuit_breaker::probe_replica_later(env);
        return ReadSource::Primary;
    }
    let scope = format_scope(tenant, Some(leaderboard));
    let now = env.clock().as_unix_ms();
    let changes = invalidation::find_changes(env, tenant, leaderboard, &scope, now).await;
    let purged_at = invalidation::find_purged_at(env, tenant, leaderboard, &scope, now).await;
    let written = env
        .responses()
        .written_positions
        .find(&scope, INVALIDATION_MS, now);
    let written = written.map_or(0, |(position, _)| position);
    let (position, changed_until) = if changes.instant > now {
        (changes.position, changes.unpositioned_until)
    } else {
        (0, changes.instant)
    };
    let until = changed_until
        .max(purged_at.saturating_add(INVALIDATION_MS))
        .max(now - MAX_REPLICA_LAG_MS);
    if until >= now {
        // No replica can have what the primary will have.
        return ReadSource::Primary;
    }
    ReadSource::Replica(NeededChanges {
        position: position.max(written),
        until: Timestamp::saturating_from_unix_ms(until),
    })
}

/// Writes the primary's clock after the response, unless this instance has just done so.
fn write_clock_later<E: ResponseEnvironment>(env: &E) {
    let (written_at, now) = (&env.responses().clock_written_at, env.clock().as_unix_ms());
    if (0..CLOCK_INTERVAL_MS).contains(&(now - written_at.get())) {
        return;
    }
    written_at.set(now);
    let own_env = env.clone();
    env.later(async move {
        // Without it, reads go to the primary for longer.
        let _ = own_env.store().write_clock().await;
    });
}

/// Keeps in memory the position that this instance has just written to a leaderboard's log.
pub(crate) fn note_position<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    position: u64,
) {
    let (scope, now) = (format_scope(tenant, Some(leaderboard)), env.clock().as_unix_ms());
    let positions = &env.responses().written_positions;
    let known = positions.find(&scope, INVALIDATION_MS, now);
    let newest = known.map_or(position, |(known, _)| known.max(position));
    positions.insert(&scope, newest, now);
}

/// Invalidates a leaderboard with the newest position that this instance has written, until the tombstone has this position. One task
/// of the instance does this at a time, for all writes that come meanwhile.
///
/// The key-value store has no atomic operation, so the put of another instance can bring an earlier position back. The task looks
/// again after its put, and repeats it.
pub(crate) async fn put_position<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) {
    let scope = format_scope(tenant, Some(leaderboard));
    let memory_tier = env.responses();
    let Some(_leader) = memory_tier.position_puts.become_leader(&scope) else {
        return;
    };
    let newest = |now| {
        let written = memory_tier.written_positions.find(&scope, INVALIDATION_MS, now);
        written.map_or(0, |(position, _)| position)
    };
    for _ in 0..MAX_POSITION_PUTS {
        let position = newest(env.clock().as_unix_ms());
        let put = invalidation::invalidate(env, tenant, Some(leaderboard), position).await;
        let stored = invalidation::read_position(env, tenant, leaderboard).await;
        if !put.written || stored.is_none_or(|stored| stored >= newest(env.clock().as_unix_ms())) {
            return;
        }
    }
}
