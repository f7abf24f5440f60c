//! Configurations: instance memory, then the region's cache, then the store.
//!
//! A copy may be stale, and that is safe: the store refuses every call that was decided with another version
//! than the current one, and the caller loads the current one and tries again.

use std::cell::RefCell;
use std::rc::Rc;

use super::Deps;
use super::names::PeriodNameMemory;
use crate::codec::{Reader, Writer, decode_leaderboard, encode_leaderboard};
use crate::ports::{Cache, Leaderboards, MAX_CONFIGURATIONS_READ};
use crate::{Leaderboard, LeaderboardId, LruMap, StoreError, TenantId, Versioned};

/// How many configurations an instance remembers.
pub const MAX_CACHED_LEADERBOARDS: usize = 1000;

type SharedLeaderboard = Rc<Versioned<Leaderboard>>;

/// What one instance remembers of configurations.
#[derive(Debug, Default)]
pub struct LeaderboardMemory {
    leaderboards: RefCell<LruMap<(TenantId, LeaderboardId), SharedLeaderboard, MAX_CACHED_LEADERBOARDS>>,
    pub(super) names: PeriodNameMemory,
}

impl LeaderboardMemory {
    /// The copy of a configuration that was used last, if it is still remembered. It may be stale.
    #[must_use]
    pub fn find(&self, tenant: &TenantId, id: &LeaderboardId) -> Option<Rc<Versioned<Leaderboard>>> {
        self.leaderboards
            .borrow_mut()
            .get(&(tenant.clone(), id.clone()))
            .cloned()
    }

    fn insert(&self, tenant: &TenantId, board: &SharedLeaderboard) {
        let key = (tenant.clone(), board.value.id.clone());
        self.leaderboards.borrow_mut().insert(key, Rc::clone(board));
    }

    /// Whether there was a copy.
    fn remove(&self, tenant: &TenantId, id: &LeaderboardId) -> bool {
        self.leaderboards
            .borrow_mut()
            .remove(&(tenant.clone(), id.clone()))
    }
}

/// A configuration and whether it was read from the store in this very request.
#[derive(Debug, Clone)]
pub(super) struct LoadedLeaderboard {
    pub(super) board: SharedLeaderboard,
    pub(super) fresh: bool,
}

/// The nearest copy of a leaderboard's configuration, which may be stale; `None` when the store has none.
///
/// # Errors
/// [`StoreError`].
pub async fn load_leaderboard<S: Leaderboards, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Result<Option<Rc<Versioned<Leaderboard>>>, StoreError> {
    Ok(deps.load(tenant, id).await?.map(|loaded| loaded.board))
}

/// A leaderboard's configuration as the store has it now; the copies are brought up to date.
///
/// # Errors
/// [`StoreError`].
pub async fn load_current_leaderboard<S: Leaderboards, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Result<Option<Rc<Versioned<Leaderboard>>>, StoreError> {
    deps.load_current(tenant, id).await
}

/// As [`current`], of several leaderboards, in their order.
///
/// # Errors
/// [`StoreError`].
pub async fn load_current_leaderboards<S: Leaderboards, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    ids: &[LeaderboardId],
) -> Result<Vec<Option<Rc<Versioned<Leaderboard>>>>, StoreError> {
    deps.load_all_current(tenant, ids).await
}

/// The nearest copy of a leaderboard's configuration that is there without the store. It may be stale.
pub async fn find_cached_leaderboard<S: Leaderboards, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Option<Rc<Versioned<Leaderboard>>> {
    deps.find_cached(tenant, id).await
}

impl<S: Leaderboards, K: Cache> Deps<'_, S, K> {
    /// The nearest copy of a configuration. `None` comes from the store itself.
    pub(super) async fn load(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<LoadedLeaderboard>, StoreError> {
        if let Some(board) = self.find_cached(tenant, id).await {
            return Ok(Some(LoadedLeaderboard { board, fresh: false }));
        }
        let current = self.load_current(tenant, id).await?;
        Ok(current.map(|board| LoadedLeaderboard { board, fresh: true }))
    }

    /// The copy of a configuration in this instance's memory, or in the region's cache.
    pub(super) async fn find_cached(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Option<SharedLeaderboard> {
        if let Some(board) = self.boards.find(tenant, id) {
            return Some(board);
        }
        let board = self.read_region_cache(tenant, id).await?;
        self.boards.insert(tenant, &board);
        Some(board)
    }

    /// The configuration as the store has it now; the copies are brought up to date.
    pub(super) async fn load_current(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<SharedLeaderboard>, StoreError> {
        let found = self.store.get(tenant, id).await?;
        Ok(self.update_caches(tenant, id, found).await)
    }

    /// As [`Deps::load_current`], of several leaderboards, in their order. [`MAX_CONFIGURATIONS_READ`] of them are one command.
    pub(super) async fn load_all_current(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<SharedLeaderboard>>, StoreError> {
        let mut boards = Vec::with_capacity(ids.len());
        for part in ids.chunks(MAX_CONFIGURATIONS_READ) {
            let read = self.store.get_many(tenant, part).await?;
            for (id, found) in part.iter().zip(read) {
                boards.push(self.update_caches(tenant, id, found).await);
            }
        }
        Ok(boards)
    }

    /// Brings the copies up to date with what the store has.
    async fn update_caches(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        found: Option<Versioned<Leaderboard>>,
    ) -> Option<SharedLeaderboard> {
        let Some(versioned) = found else {
            self.forget(tenant, id).await;
            return None;
        };
        let board = Rc::new(versioned);
        self.boards.insert(tenant, &board);
        if let Some(cache) = self.cache {
            // A cache that fails costs a read of the store, never an answer.
            let _ = cache.put(&cache_key(tenant, id), &encode_cached(&board)).await;
        }
        Some(board)
    }

    /// Drops the copies of a configuration that is known to have changed. Where there is no copy nothing is written, so that
    /// a leaderboard that somebody invented costs no delete.
    pub(super) async fn forget(&self, tenant: &TenantId, id: &LeaderboardId) {
        let was_cached = self.boards.remove(tenant, id);
        let Some(cache) = self.cache else { return };
        if was_cached || self.read_region_cache(tenant, id).await.is_some() {
            let _ = cache.delete(&cache_key(tenant, id)).await;
        }
    }

    async fn read_region_cache(&self, tenant: &TenantId, id: &LeaderboardId) -> Option<SharedLeaderboard> {
        let bytes = self.cache?.get(&cache_key(tenant, id)).await.ok()??;
        let board = decode_cached(&bytes)?;
        (board.value.id == *id).then(|| Rc::new(board))
    }
}

fn cache_key(tenant: &TenantId, id: &LeaderboardId) -> String {
    format!("configuration:{tenant}:{id}")
}

fn encode_cached(board: &Versioned<Leaderboard>) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(board.version);
    w.bytes(&encode_leaderboard(&board.value));
    w.finish()
}

/// `None` for bytes of another time or another program: they are read from the store again.
fn decode_cached(bytes: &[u8]) -> Option<Versioned<Leaderboard>> {
    let mut r = Reader::new(bytes);
    let version = r.unsigned().ok()?;
    let value = decode_leaderboard(r.bytes().ok()?).ok()?;
    r.end().ok()?;
    Some(Versioned { version, value })
}
