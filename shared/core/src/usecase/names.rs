//! Canonical names of periods. A period can be named by its id, or by an instant or a date within it.
//!
//! Usually the schedule finds the period of a name. If a leaderboard had resets that were not recorded, a name can be the id of a
//! period that only the store knows. The store is asked once. Its answer is valid for this version of the configuration, because
//! new scores only begin periods of the schedule.

use std::cell::RefCell;

use super::{Deps, Store};
use crate::ports::Cache;
use crate::{Leaderboard, LeaderboardId, LruMap, PeriodId, PeriodSelector, StoreError, TenantId, Versioned};

/// The most answers of the store that an instance caches.
pub const MAX_CACHED_PERIOD_NAMES: usize = 1000;

/// A name of a period of a leaderboard in one version of its configuration.
type PeriodName = (TenantId, LeaderboardId, u64, PeriodId);

/// For each name that the schedule does not explain, whether the store has a period with this id.
#[derive(Debug, Default)]
pub(super) struct PeriodNameMemory(RefCell<LruMap<PeriodName, bool, MAX_CACHED_PERIOD_NAMES>>);

/// Returns the canonical selector of a period, or `None` if only the store knows it ([`resolve_name`]).
pub fn find_known_name<S, K>(
    deps: &Deps<'_, S, K>,
    board: &Versioned<Leaderboard>,
    selector: &PeriodSelector,
) -> Option<PeriodSelector> {
    let Some(id) = selector.find_unrecorded_id(&board.value) else {
        return Some(selector.canonical(&board.value, deps.now));
    };
    let name = (deps.tenant.clone(), board.value.id.clone(), board.version, id);
    let is_stored = deps.leaderboard_memory.names.0.borrow_mut().get(&name).copied()?;
    Some(selector_of_stored(
        deps,
        board,
        selector,
        is_stored.then_some(name.3),
    ))
}

/// Does the same as [`find_known_name`], but asks the store if necessary: one command of constant cost.
///
/// # Errors
/// [`StoreError`].
pub async fn resolve_name<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    board: &Versioned<Leaderboard>,
    selector: &PeriodSelector,
) -> Result<PeriodSelector, StoreError> {
    let Some(id) = selector.find_unrecorded_id(&board.value) else {
        return Ok(selector.canonical(&board.value, deps.now));
    };
    let leaderboard = &board.value.id;
    let stored = deps
        .store
        .find_period(deps.tenant, leaderboard, &id, deps.now)
        .await?;
    let name = (
        deps.tenant.clone(),
        leaderboard.clone(),
        board.version,
        id.clone(),
    );
    deps.leaderboard_memory
        .names
        .0
        .borrow_mut()
        .insert(name, stored.is_some());
    Ok(selector_of_stored(deps, board, selector, stored.map(|_| id)))
}

/// Returns the selector of a stored period, or else of the schedule's period.
fn selector_of_stored<S, K>(
    deps: &Deps<'_, S, K>,
    board: &Versioned<Leaderboard>,
    selector: &PeriodSelector,
    stored: Option<PeriodId>,
) -> PeriodSelector {
    stored.map_or_else(
        || selector.canonical(&board.value, deps.now),
        PeriodSelector::Named,
    )
}
