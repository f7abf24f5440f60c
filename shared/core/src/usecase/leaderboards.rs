//! Leaderboards' configurations: create or replace, read, list, delete.

use super::Deps;
use super::query::MAX_CONFIGURATION_RETRIES;
use super::{Store, keeps_changing};
use crate::ports::{Cache, Expected, PutLeaderboard, PutRefusal};
use crate::{
    Leaderboard, LeaderboardId, Period, PeriodId, Schedule, StoreError, TenantId, Timestamp, Versioned,
};

/// The current configuration, from the store itself.
///
/// # Errors
/// [`StoreError`].
pub async fn get<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
    deps.store.get(tenant, id).await
}

/// Up to `limit` configurations in byte order of their ids, after `after`.
///
/// # Errors
/// [`StoreError`].
pub async fn list_leaderboards<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    after: Option<&LeaderboardId>,
    limit: u32,
) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
    deps.store.list(tenant, after, limit).await
}

/// Creates or replaces a configuration that has passed [`Leaderboard::check`]. Gives its version and whether
/// it was created.
///
/// # Errors
/// [`StoreError`]; a refusal is an inner result.
pub async fn put<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    leaderboard: &Leaderboard,
    expected: Expected,
    rebuild: bool,
    max_leaderboards: Option<u64>,
) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
    for _ in 0..=MAX_CONFIGURATION_RETRIES {
        let existing = deps.store.get(tenant, &leaderboard.id).await?;
        let expiries = match &existing {
            Some(existing) => expiries_of(deps, tenant, &existing.value, leaderboard).await?,
            None => Vec::new(),
        };
        // The expiries belong to the configuration just read, so that is the one to replace.
        let seen = existing
            .as_ref()
            .map_or(Expected::Absent, |existing| Expected::Version(existing.version));
        let current = leaderboard.schedule.period_at(deps.now).id;
        let put = PutLeaderboard {
            max_leaderboards,
            tenant,
            leaderboard,
            expected: if expected == Expected::Any { seen } else { expected },
            current: &current,
            rebuild,
            expiries: &expiries,
            at: deps.now,
        };
        let done = deps.store.put(&put).await?;
        deps.forget_board(tenant, &leaderboard.id).await;
        match done {
            Err(PutRefusal::VersionMismatch { .. }) if expected == Expected::Any => {}
            decided => return Ok(decided),
        }
    }
    Err(keeps_changing())
}

/// Deletes a leaderboard with all its data. Whether there was one.
///
/// # Errors
/// [`StoreError`]; a refusal is an inner result.
pub async fn delete<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    id: &LeaderboardId,
    expected: Expected,
) -> Result<Result<bool, PutRefusal>, StoreError> {
    let done = deps.store.delete(tenant, id, expected).await?;
    deps.forget_board(tenant, id).await;
    Ok(done)
}

/// A stored period with the bounds that a schedule gives it, where the schedule has a period of that name: it may
/// have been made by another schedule and end elsewhere now.
fn as_scheduled(stored: Period, schedule: &Schedule) -> Period {
    let renewed = stored.starts_at.map(|start| schedule.period_at(start));
    renewed.filter(|period| period.id == stored.id).unwrap_or(stored)
}

/// When the periods that exist expire once `after` replaces `before`; empty when nothing about that changes.
async fn expiries_of<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    before: &Leaderboard,
    after: &Leaderboard,
) -> Result<Vec<(PeriodId, Option<Timestamp>)>, StoreError> {
    if before.keep_periods == after.keep_periods && before.schedule == after.schedule {
        return Ok(Vec::new());
    }
    let kept = deps.store.periods(tenant, &after.id, deps.now).await?;
    Ok(kept
        .into_iter()
        .map(|summary| {
            let period = as_scheduled(summary.period, &after.schedule);
            let expiry = after.schedule.expires_at(&period, after.keep_periods);
            (period.id, expiry)
        })
        .collect())
}
