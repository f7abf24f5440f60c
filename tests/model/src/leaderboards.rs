//! The port of the configurations of leaderboards.

use std::collections::BTreeMap;

use leaderboard_core::ports::{Expected, Leaderboards, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal};
use leaderboard_core::{Event, EventBody, Leaderboard, LeaderboardId, StoreError, TenantId, Versioned};

use crate::edge::version_after;
use crate::scores::rejected;
use crate::{LeaderboardState, Model, Projection};

impl Leaderboards for Model {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        let tenants = self.tenants.borrow();
        let board = tenants.get(tenant).and_then(|tenant| tenant.boards.get(id));
        Ok(board.map(|board| board.configuration.clone()))
    }

    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError> {
        let tenants = self.tenants.borrow();
        let boards = tenants.get(tenant).map(|tenant| &tenant.boards);
        let find = |id| boards.and_then(|boards| boards.get(id));
        Ok(ids
            .iter()
            .map(|id| find(id).map(|board| board.configuration.clone()))
            .collect())
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        self.end_bans(put.tenant, put.at)?;
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(put.tenant.clone()).or_default();
        let existing = tenant.boards.get(&put.leaderboard.id);
        if let Err(mismatch) = put.expected.check(version_of(existing)) {
            return Ok(Err(mismatch.into()));
        }
        if let Some(board) = existing {
            if board.configuration.value == *put.leaderboard && !reorders(&board.projection, put) {
                return Ok(Ok((board.configuration.version, false)));
            }
            if let Err(refusal) = check_order(&board.projection, put) {
                return Ok(Err(refusal));
            }
        }
        let created = existing.is_none();
        if created
            && tenant
                .import
                .as_ref()
                .is_some_and(|import| import.is_of(&put.leaderboard.id))
        {
            return Ok(Err(PutRefusal::ImportUnderWay));
        }
        if created
            && put
                .max_leaderboards
                .is_some_and(|most| tenant.boards.len() as u64 >= most)
        {
            return Ok(Err(PutRefusal::TooManyLeaderboards));
        }
        tenant.last_version = version_after(tenant.last_version, self.edge.borrow().clock_us);
        let configuration = Versioned {
            version: tenant.last_version,
            value: put.leaderboard.clone(),
        };
        let board = tenant
            .boards
            .entry(put.leaderboard.id.clone())
            .or_insert_with(|| LeaderboardState {
                configuration: configuration.clone(),
                log: Vec::new(),
                projection: Projection::default(),
                expiries: BTreeMap::new(),
                frozen: BTreeMap::new(),
                snapshots: BTreeMap::new(),
                ids: BTreeMap::new(),
                record_bytes: BTreeMap::new(),
            });
        board.configuration = configuration;
        board.expiries.extend(put.expiries.iter().cloned());
        board
            .append(configured_event(put))
            .map_err(|error| rejected(&error))?;
        Ok(Ok((tenant.last_version, created)))
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        let tenants = self.tenants.borrow();
        let boards = tenants.get(tenant).map(|tenant| tenant.boards.iter());
        let wanted = boards
            .into_iter()
            .flatten()
            .filter(|(id, _)| after.is_none_or(|after| *id > after));
        let wanted = wanted.take(limit as usize);
        Ok(wanted.map(|(_, board)| board.configuration.clone()).collect())
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(tenant.clone()).or_default();
        if let Err(mismatch) = expected.check(version_of(tenant.boards.get(id))) {
            return Ok(Err(mismatch.into()));
        }
        Ok(Ok(tenant.boards.remove(id).is_some()))
    }

    async fn sweep(&self, _tenant: &TenantId) -> Result<bool, StoreError> {
        Ok(false)
    }
}

fn version_of(board: Option<&LeaderboardState>) -> Option<u64> {
    board.map(|board| board.configuration.version)
}

/// Returns whether the current period has another order than the new configuration.
fn reorders(projection: &Projection, put: &PutLeaderboard<'_>) -> bool {
    let current = projection.periods.get(put.current);
    current.is_some_and(|state| state.layout != put.leaderboard.layout())
}

/// Checks that the current period has no entries whose order would change, or that the call may rebuild them.
fn check_order(projection: &Projection, put: &PutLeaderboard<'_>) -> Result<(), PutRefusal> {
    let Some(state) = projection.periods.get(put.current) else {
        return Ok(());
    };
    let entries = state.entries.len() as u64;
    if entries == 0 || state.layout == put.leaderboard.layout() {
        Ok(())
    } else if !put.rebuild {
        Err(PutRefusal::HasEntries)
    } else if entries > MAX_REBUILD_ENTRIES {
        Err(PutRefusal::TooManyEntries)
    } else {
        Ok(())
    }
}

/// Returns the event of a stored configuration.
fn configured_event(put: &PutLeaderboard<'_>) -> Event {
    Event {
        recorded_at: put.at,
        body: EventBody::Configured {
            leaderboard: Box::new(put.leaderboard.clone()),
            current: put.current.clone(),
            rebuild: put.rebuild,
        },
    }
}
