//! The key-value tier of the caches, on Spin's key-value store.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Cache;
use spin_sdk::key_value::{Error, Store};

use crate::timeout::{TimedOut, within};

/// The label of the store that the manifest grants to every component.
const STORE_LABEL: &str = "default";
/// The longest time for one operation. After this time, the request continues without the cache.
const CACHE_LIMIT: Duration = Duration::from_millis(250);

/// The key-value store. It is opened once, because a store on Redis pings its server at every open.
#[derive(Default)]
pub struct RegionCache(RefCell<Option<Rc<Store>>>);

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
        let opened = Rc::new(bounded(Store::open(STORE_LABEL)).await?);
        Ok(Rc::clone(self.0.borrow_mut().get_or_insert(opened)))
    }
}

/// Limits the time of an operation. A request can be answered without the cache, so it must not wait for a cache that hangs.
async fn bounded<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, StoreError> {
    match within(CACHE_LIMIT, work).await {
        Ok(done) => done.map_err(|error| StoreError::Unavailable(format!("key-value: {error}"))),
        Err(TimedOut) => Err(StoreError::Unavailable("key-value: took too long".into())),
    }
}

impl Cache for RegionCache {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let store = self.open().await?;
        bounded(store.get(key)).await
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let store = self.open().await?;
        bounded(store.set(key, value)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let store = self.open().await?;
        bounded(store.delete(key)).await
    }
}
