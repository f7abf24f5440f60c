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

/// A configuration that the caches and the use cases share.
pub(super) type SharedLeaderboard = Rc<Versioned<Leaderboard>>;

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

impl<S: Leaderboards, K: Cache> Deps<'_, S, K> {
    /// Returns a configuration from a cache or the store. Returns `None` only after reading the store.
    pub(super) async fn load(&self, id: &LeaderboardId) -> Result<Option<LoadedLeaderboard>, StoreError> {
        if let Some(board) = self.find_cached_leaderboard(id).await {
            return Ok(Some(LoadedLeaderboard { board, fresh: false }));
        }
        let current = self.load_current_leaderboard(id).await?;
        Ok(current.map(|board| LoadedLeaderboard { board, fresh: true }))
    }

    /// Returns a leaderboard's configuration from a cache or the store; it may be stale. Returns `None` if the leaderboard does not
    /// exist.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load_leaderboard(
        &self,
        id: &LeaderboardId,
    ) -> Result<Option<SharedLeaderboard>, StoreError> {
        Ok(self.load(id).await?.map(|loaded| loaded.board))
    }

    /// Returns a leaderboard's configuration from this instance's memory or from the region's cache, without the store. It may be
    /// stale.
    pub async fn find_cached_leaderboard(&self, id: &LeaderboardId) -> Option<SharedLeaderboard> {
        if let Some(board) = self.leaderboard_memory.find(self.tenant, id) {
            return Some(board);
        }
        let board = self.read_region_cache(id).await?;
        self.leaderboard_memory.insert(self.tenant, &board);
        Some(board)
    }

    /// Reads a leaderboard's current configuration from the store, and updates the caches.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load_current_leaderboard(
        &self,
        id: &LeaderboardId,
    ) -> Result<Option<SharedLeaderboard>, StoreError> {
        let found = self.store.get(self.tenant, id).await?;
        Ok(self.update_caches(id, found).await)
    }

    /// Does the same as [`Deps::load_current_leaderboard`] for several leaderboards, in their order. One command reads
    /// [`MAX_CONFIGURATIONS_READ`] of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load_current_leaderboards(
        &self,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<SharedLeaderboard>>, StoreError> {
        let mut boards = Vec::with_capacity(ids.len());
        for part in ids.chunks(MAX_CONFIGURATIONS_READ) {
            let read = self.store.get_many(self.tenant, part).await?;
            for (id, found) in part.iter().zip(read) {
                boards.push(self.update_caches(id, found).await);
            }
        }
        Ok(boards)
    }

    /// Updates the caches with the store's configuration, and returns it.
    async fn update_caches(
        &self,
        id: &LeaderboardId,
        found: Option<Versioned<Leaderboard>>,
    ) -> Option<SharedLeaderboard> {
        let Some(versioned) = found else {
            self.forget(id).await;
            return None;
        };
        let board = Rc::new(versioned);
        self.leaderboard_memory.insert(self.tenant, &board);
        if let Some(cache) = self.cache {
            // A failing cache costs a read of the store later; the request goes on.
            let _ = cache
                .put(&cache_key(self.tenant, id), &encode_cached(&board))
                .await;
        }
        Some(board)
    }

    /// Removes a changed configuration from the caches. If no cache has the configuration, deletes nothing, so that requests for
    /// invented ids stay cheap.
    pub(super) async fn forget(&self, id: &LeaderboardId) {
        let was_cached = self.leaderboard_memory.remove(self.tenant, id);
        let Some(cache) = self.cache else { return };
        if was_cached || self.read_region_cache(id).await.is_some() {
            let _ = cache.delete(&cache_key(self.tenant, id)).await;
        }
    }

    async fn read_region_cache(&self, id: &LeaderboardId) -> Option<SharedLeaderboard> {
        let bytes = self.cache?.get(&cache_key(self.tenant, id)).await.ok()??;
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
