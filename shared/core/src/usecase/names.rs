//! One name for a period, out of the many that it has: its id, or an instant or a date within it.
//!
//! The schedule knows the period of a name. Only where a leaderboard had rules that nobody recorded, a name may be the id of a
//! period that the store alone knows, and the store is asked once. Its answer holds for as long as the configuration does:
//! no score begins a period that the schedule does not name.

use std::cell::RefCell;

use super::{Deps, Store};
use crate::ports::Cache;
use crate::{Leaderboard, LeaderboardId, LruMap, PeriodId, PeriodSelector, StoreError, TenantId, Versioned};

/// How many names an instance remembers that it asked the store about.
pub const MAX_CACHED_PERIOD_NAMES: usize = 1000;

/// A name of a period of a leaderboard in one version of its configuration.
type PeriodName = (TenantId, LeaderboardId, u64, PeriodId);

/// What one instance remembers of names that no known rule explains: whether the store has such a period.
#[derive(Debug, Default)]
pub(super) struct PeriodNameMemory(RefCell<LruMap<PeriodName, bool, MAX_CACHED_PERIOD_NAMES>>);

/// The selector that stands for all names of its period; `None` where the store has to be asked ([`find_name`]).
pub fn find_known_name<S, K>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    board: &Versioned<Leaderboard>,
    selector: &PeriodSelector,
) -> Option<PeriodSelector> {
    let Some(id) = selector.unexplained(&board.value) else {
        return Some(selector.canonical(&board.value, deps.now));
    };
    let name = (tenant.clone(), board.value.id.clone(), board.version, id);
    let is_stored = deps.boards.names.0.borrow_mut().get(&name).copied()?;
    Some(selector_of_stored(
        deps,
        board,
        selector,
        is_stored.then_some(name.3),
    ))
}

/// As [`known_name`], with a question to the store: one command, whose cost does not depend on how many periods there are.
///
/// # Errors
/// [`StoreError`].
pub async fn resolve_name<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    board: &Versioned<Leaderboard>,
    selector: &PeriodSelector,
) -> Result<PeriodSelector, StoreError> {
    let Some(id) = selector.unexplained(&board.value) else {
        return Ok(selector.canonical(&board.value, deps.now));
    };
    let leaderboard = &board.value.id;
    let stored = deps.store.find_period(tenant, leaderboard, &id, deps.now).await?;
    let name = (tenant.clone(), leaderboard.clone(), board.version, id.clone());
    deps.boards.names.0.borrow_mut().insert(name, stored.is_some());
    Ok(selector_of_stored(deps, board, selector, stored.map(|_| id)))
}

/// A stored period by its id, and any other by the schedule.
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
