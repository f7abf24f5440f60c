//! Periods that began early, because the clock of another instance may be ahead by at most [`MAX_CLOCK_SKEW_MS`]. A change of the
//! configuration must include such periods.

use super::leaderboards::put_in_steps;
use super::{Deps, Store};
use crate::ports::{Cache, Expected, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal};
use crate::{Leaderboard, MAX_CLOCK_SKEW_MS, Period, PeriodId, Schedule, StoreError, Timestamp};

/// Returns the periods after the current one that may already have scores.
fn list_reachable_periods(schedule: &Schedule, now: Timestamp) -> impl Iterator<Item = Period> {
    let horizon = now.saturating_add_ms(MAX_CLOCK_SKEW_MS);
    let next = move |period: &Period| {
        let start = period.ends_at.filter(|end| *end <= horizon)?;
        Some(schedule.period_at(start))
    };
    std::iter::successors(Some(schedule.period_at(now)), next).skip(1)
}

/// Finds the periods after the current one that have begun early. Refuses a change of the reset that drops one of these periods,
/// and a change of the order if it needs a rebuild that is impossible or that `rebuild` does not allow.
pub(super) async fn find_early_periods<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    before: Option<&Leaderboard>,
    after: &Leaderboard,
    rebuild: bool,
) -> Result<Result<Vec<PeriodId>, PutRefusal>, StoreError> {
    let Some(before) = before else {
        return Ok(Ok(Vec::new()));
    };
    let find = async |period: &PeriodId| {
        deps.store
            .find_period(deps.tenant, &after.id, period, deps.now)
            .await
    };
    for Period { id, starts_at, .. } in list_reachable_periods(&before.schedule, deps.now) {
        let is_kept = starts_at.is_some_and(|start| after.schedule.period_at(start).id == id);
        if !is_kept && find(&id).await?.is_some() {
            return Ok(Err(PutRefusal::EarlyPeriodLost { period: id }));
        }
    }
    let changes_order = before.layout() != after.layout();
    let mut early = Vec::new();
    for Period { id: period, .. } in list_reachable_periods(&after.schedule, deps.now) {
        let Some(begun) = find(&period).await? else {
            continue;
        };
        if changes_order && !rebuild {
            return Ok(Err(PutRefusal::EarlyEntries { period }));
        }
        if changes_order && begun.count > MAX_REBUILD_ENTRIES {
            return Ok(Err(PutRefusal::TooManyEarlyEntries { period }));
        }
        early.push(period);
    }
    Ok(Ok(early))
}

/// Puts early periods into the order of the configuration that was just stored. Returns the version after that. Returns
/// [`PutRefusal::StoredUnordered`] if a period did not get the order.
pub(super) async fn order_early_periods<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    stored: &PutLeaderboard<'_>,
    mut version: u64,
    early: &[PeriodId],
) -> Result<Result<u64, PutRefusal>, StoreError> {
    for current in early {
        let put = PutLeaderboard {
            expected: Expected::Version(version),
            current,
            rebuild: true,
            verified: None,
            expiries: &[],
            ..stored.clone()
        };
        let period = current.clone();
        let why = match put_in_steps(deps, &put).await? {
            Ok((after, _)) => {
                version = after;
                continue;
            }
            // Another change came after this one, and orders what has begun early.
            Err(PutRefusal::VersionMismatch { .. }) => break,
            Err(PutRefusal::TooManyEntries) => PutRefusal::TooManyEarlyEntries {
                period: period.clone(),
            },
            Err(refusal) => refusal,
        };
        let why = Box::new(why);
        return Ok(Err(PutRefusal::StoredUnordered { period, why }));
    }
    Ok(Ok(version))
}
