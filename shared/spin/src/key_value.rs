//! The region's cache on Spin's key-value store.

use std::cell::RefCell;
use std::rc::Rc;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Cache;
use spin_sdk::key_value::{Error, Store};

/// The store every component is granted.
const STORE_LABEL: &str = "default";

/// The key-value store, opened once: a Redis-backed one pings its server at every open.
#[derive(Default)]
pub(crate) struct RegionCache(RefCell<Option<Rc<Store>>>);

impl std::fmt::Debug for RegionCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RegionCache")
    }
}

impl RegionCache {
    async fn open(&self) -> Result<Rc<Store>, StoreError> {
        if let Some(store) = self.0.borrow().as_ref() {
            return Ok(Rc::clone(store));
        }
        let store = Rc::new(Store::open(STORE_LABEL).await.map_err(failed)?);
        *self.0.borrow_mut() = Some(Rc::clone(&store));
        Ok(store)
    }
}

fn failed(error: Error) -> StoreError {
    StoreError::Unavailable(format!("key-value: {error}"))
}

impl Cache for RegionCache {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.open().await?.get(key).await.map_err(failed)
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.open().await?.set(key, value).await.map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.open().await?.delete(key).await.map_err(failed)
    }
}
