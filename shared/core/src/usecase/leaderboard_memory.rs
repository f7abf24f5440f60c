//! Loads configurations from the instance's memory, from the region's cache, or from the store.
//!
//! A cached configuration may be stale. That is safe: the store refuses a call if its version is not the current one, and the
//! caller then loads the current configuration and tries again.

use std::cell::RefCell;
use std::rc::Rc;

use super::Deps;
use super::names::PeriodNameMemory;
use crate::codec::{Reader, Writer, decode_leaderboard, encode_leaderboard};
use crate::ports::{Cache, Leaderboards, MAX_CONFIGURATIONS_READ};
use crate::{Leaderboard, LeaderboardId, LruMap, StoreError, TenantId, Versioned};

/// The most configurations that an instance caches in memory.
pub const MAX_CACHED_LEADERBOARDS: usize = 1000;

type SharedLeaderboard = Rc<Versioned<Leaderboard>>;

/// The configurations and period names that one instance caches in memory.
#[derive(Debug, Default)]
pub struct LeaderboardMemory {
    leaderboards: RefCell<LruMap<(TenantId, LeaderboardId), SharedLeaderboard, MAX_CACHED_LEADERBOARDS>>,
    pub(super) names: PeriodNameMemory,
}

impl LeaderboardMemory {
    /// Returns the cached configuration, if there is one. It may be stale.
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

    /// Removes a cached configuration. Returns whether there was one.
    fn remove(&self, tenant: &TenantId, id: &LeaderboardId) -> bool {
        self.leaderboards
            .borrow_mut()
            .remove(&(tenant.clone(), id.clone()))
    }
}

/// A configuration, and whether it was read from the store during this request.
#[derive(Debug, Clone)]
pub(super) struct LoadedLeaderboard {
    pub(super) board: SharedLeaderboard,
    pub(super) fresh: bool,
}

/// Returns a leaderboard's configuration from a cache or the store; it may be stale. Returns `None` if the leaderboard does not
/// exist.
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

/// Reads a leaderboard's current configuration from the store, and updates the caches.
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

/// Reads the current configurations of several leaderboards from the store in the order of `ids`, and updates the caches.
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

/// Returns a leaderboard's configuration from a cache, without the store. It may be stale.
pub async fn find_cached_leaderboard<S: Leaderboards, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Option<Rc<Versioned<Leaderboard>>> {
    deps.find_cached(tenant, id).await
}

impl<S: Leaderboards, K: Cache> Deps<'_, S, K> {
    /// Returns a configuration from a cache or the store. Returns `None` only after reading the store.
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

    /// Returns a configuration from this instance's memory or from the region's cache.
    pub(super) async fn find_cached(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Option<SharedLeaderboard> {
        if let Some(board) = self.leaderboard_memory.find(tenant, id) {
            return Some(board);
        }
        let board = self.read_region_cache(tenant, id).await?;
        self.leaderboard_memory.insert(tenant, &board);
        Some(board)
    }

    /// Reads the current configuration from the store, and updates the caches.
    pub(super) async fn load_current(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<SharedLeaderboard>, StoreError> {
        let found = self.store.get(tenant, id).await?;
        Ok(self.update_caches(tenant, id, found).await)
    }

    /// Does the same as [`Deps::load_current`] for several leaderboards, in their order. One command reads
    /// [`MAX_CONFIGURATIONS_READ`] of them.
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

    /// Updates the caches with the store's configuration, and returns it.
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
        self.leaderboard_memory.insert(tenant, &board);
        if let Some(cache) = self.cache {
            // A failing cache costs a read of the store later; the request goes on.
            let _ = cache.put(&cache_key(tenant, id), &encode_cached(&board)).await;
        }
        Some(board)
    }

    /// Removes a changed configuration from the caches. If no cache has the configuration, deletes nothing, so that requests for
    /// invented ids stay cheap.
    pub(super) async fn forget(&self, tenant: &TenantId, id: &LeaderboardId) {
        let was_cached = self.leaderboard_memory.remove(tenant, id);
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

/// Decodes a cached configuration. Returns `None` for unknown bytes; the caller then reads the store.
fn decode_cached(bytes: &[u8]) -> Option<Versioned<Leaderboard>> {
    let mut r = Reader::new(bytes);
    let version = r.unsigned().ok()?;
    let value = decode_leaderboard(r.bytes().ok()?).ok()?;
    r.end().ok()?;
    Some(Versioned { version, value })
}
