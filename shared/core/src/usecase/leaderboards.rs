//! Configurations of leaderboards: create or replace, read, list, delete.

use super::early::{find_early_periods, order_early_periods};
use super::query::{MAX_CONFIGURATION_RETRIES, QueryError, resolve_period};
use super::{Deps, Store, configuration_keeps_changing};
use crate::ports::{Cache, Expected, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal, REBUILD_STEP_ENTRIES};
use crate::{
    Leaderboard, LeaderboardId, PeriodId, PeriodSelector, StoreError, Timestamp, TooManyChanges, Versioned,
};

/// The most steps of one put: enough for the largest rebuild and three restarts.
pub const MAX_PUT_STEPS: u64 = 4 * (MAX_REBUILD_ENTRIES / REBUILD_STEP_ENTRIES);

/// Reads the current configuration from the store.
///
/// # Errors
/// [`StoreError`].
pub async fn read_leaderboard<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
    deps.store.get(deps.tenant, id).await
}

/// Returns up to `limit` configurations in byte order of the leaderboards' ids, beginning after the id `after`.
///
/// # Errors
/// [`StoreError`].
pub async fn list_leaderboards<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    after: Option<&LeaderboardId>,
    limit: u32,
) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
    deps.store.list(deps.tenant, after, limit).await
}

/// A configuration that was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLeaderboard {
    /// The configuration; its schedule contains the earlier rules.
    pub leaderboard: Versioned<Leaderboard>,
    /// Whether the leaderboard is new.
    pub created: bool,
}

/// Creates or replaces a configuration that has passed [`Leaderboard::check`].
///
/// With `rebuilt`, entries of the current period may be reordered, and the stored counts of the period `rebuilt` are verified and
/// repaired.
///
/// A changed reset takes effect at the end of the current period, or at once with `rebuilt` ([`crate::Schedule::changed_to`]). If
/// an instance whose clock is ahead has already begun the next period, that period gets the new order too, because no reader has
/// seen it as the current one. If the changed reset does not have that period, the change is refused.
///
/// # Errors
/// [`StoreError`]; a refusal is an inner result. If [`PutRefusal::is_stored`] is true, the new configuration was stored.
pub async fn put_leaderboard<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    leaderboard: &Leaderboard,
    expected: Expected,
    rebuilt: Option<&PeriodSelector>,
    max_leaderboards: Option<u64>,
) -> Result<Result<StoredLeaderboard, PutRefusal>, StoreError> {
    let rebuild = rebuilt.is_some();
    for _ in 0..=MAX_CONFIGURATION_RETRIES {
        let existing = deps.store.get(deps.tenant, &leaderboard.id).await?;
        let there = existing.as_ref().map(|existing| existing.version);
        if let Err(mismatch) = expected.check(there) {
            return Ok(Err(mismatch.into()));
        }
        let before = existing.as_ref().map(|existing| &existing.value);
        let Ok(value) = add_history(before, leaderboard, deps.now, rebuild) else {
            return Ok(Err(PutRefusal::TooManyScheduleChanges));
        };
        let early = match find_early_periods(deps, before, &value, rebuild).await? {
            Ok(early) => early,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let expiries = match before {
            Some(before) => compute_expiries(deps, before, &value).await?,
            None => Vec::new(),
        };
        let current = value.schedule.period_at(deps.now).id;
        let verified = match rebuilt {
            Some(selector) => match resolve_period(deps, &value, selector).await {
                Ok(period) => Some(period.id),
                Err(QueryError::Store(error)) => return Err(error),
                Err(_) => return Ok(Err(PutRefusal::UnknownPeriod)),
            },
            None => None,
        };
        let put = PutLeaderboard {
            max_leaderboards,
            tenant: deps.tenant,
            leaderboard: &value,
            // History and expiries were computed from this configuration, so no other one may be replaced.
            expected: there.map_or(Expected::Absent, Expected::Version),
            current: &current,
            rebuild,
            verified: verified.as_ref(),
            expiries: &expiries,
            at: deps.now,
        };
        let done = put_and_order(deps, &put, &early).await;
        // Also after an error: the configuration may have been stored.
        deps.forget(&leaderboard.id).await;
        match done? {
            Err(PutRefusal::VersionMismatch { .. }) => {}
            Err(refusal) => return Ok(Err(refusal)),
            Ok((version, created)) => {
                let leaderboard = Versioned { version, value };
                return Ok(Ok(StoredLeaderboard { leaderboard, created }));
            }
        }
    }
    Err(configuration_keeps_changing())
}

/// Stores a configuration, then puts the early periods into its order. Returns the version after that, and whether the
/// leaderboard is new.
async fn put_and_order<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    put: &PutLeaderboard<'_>,
    early: &[PeriodId],
) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
    match put_in_steps(deps, put).await? {
        Ok((version, created)) => {
            let ordered = order_early_periods(deps, put, version, early).await?;
            Ok(ordered.map(|version| (version, created)))
        }
        refused => Ok(refused),
    }
}

/// Stores a configuration, in several steps if a rebuild needs them; the store serves other requests between the steps. Returns
/// [`PutRefusal::Unfinished`] after [`MAX_PUT_STEPS`]; repeating the call continues.
pub(super) async fn put_in_steps<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    put: &PutLeaderboard<'_>,
) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
    for _ in 0..MAX_PUT_STEPS {
        match deps.store.put(put).await? {
            Err(PutRefusal::Unfinished) => {}
            decided => return Ok(decided),
        }
    }
    Ok(Err(PutRefusal::Unfinished))
}

/// Returns the configuration with the earlier rules of its schedule. If the stored configuration does not record earlier rules,
/// recording begins with this change.
fn add_history(
    before: Option<&Leaderboard>,
    after: &Leaderboard,
    now: Timestamp,
    rebuild: bool,
) -> Result<Leaderboard, TooManyChanges> {
    let mut with_history = after.clone();
    if let Some(before) = before {
        let (past, keep) = (&before.schedule, after.keep_periods);
        with_history.schedule = past.changed_to(&after.schedule, keep, now, rebuild)?;
        if with_history != *before {
            with_history.schedule = with_history.schedule.recorded_from(now);
        }
    }
    Ok(with_history)
}

/// Deletes a leaderboard with all its data, and returns whether it existed. Also removes the configuration from the caches,
/// unless the store reports that the leaderboard does not exist.
///
/// # Errors
/// [`StoreError`]; a refusal is an inner result.
pub async fn delete_leaderboard<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    expected: Expected,
) -> Result<Result<bool, PutRefusal>, StoreError> {
    let done = deps.store.delete(deps.tenant, id, expected).await;
    if !matches!(done, Ok(Ok(false))) {
        deps.forget(id).await;
    }
    done
}

/// Computes when existing periods expire after `after` replaces `before`. Returns an empty list if no expiry changes.
async fn compute_expiries<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    before: &Leaderboard,
    after: &Leaderboard,
) -> Result<Vec<(PeriodId, Option<Timestamp>)>, StoreError> {
    if before.keep_periods == after.keep_periods && before.schedule.has_rules_of(&after.schedule) {
        return Ok(Vec::new());
    }
    let kept = deps.store.periods(deps.tenant, &after.id, deps.now).await?;
    Ok(kept
        .into_iter()
        .map(|summary| {
            let period = after.schedule.bounds_of(summary.period);
            let expiry = after.schedule.expires_at(&period, after.keep_periods);
            (period.id, expiry)
        })
        .collect())
}
