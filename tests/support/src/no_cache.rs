//! A cache that stores nothing.

use leaderboard_core::StoreError;
use leaderboard_core::ports::Cache;

/// A cache that stores nothing.
#[derive(Debug)]
pub struct NoCache;

impl Cache for NoCache {
    async fn get(&self, _key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
    async fn put(&self, _key: &str, _value: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn delete(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }
}
