//! The state of key sets that the instances of a region share: the last valid set, and the last fetch.

use leaderboard_core::Timestamp;
use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::Cache;
use leaderboard_identity::token::{KeyOrigin, KeySet};

use super::index::digest;
use crate::AuthEnvironment;

/// The version of a set's format in the region's cache.
const FORMAT: u64 = 1;
/// The longest duration of a fetch, in milliseconds: two documents, of three seconds each. A fetch that is still marked as
/// running after this time has ended with its instance.
const LONGEST_FETCH_MS: i64 = 7_000;

/// The last fetch of a set by an instance of the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RegionFetch {
    /// The fetch is running.
    Running,
    /// The fetch ended this many milliseconds ago, with or without a set.
    Ended(i64),
}

/// Returns the last valid set and the time of its fetch.
pub(crate) async fn read_set<E: AuthEnvironment>(env: &E, name: &str) -> Option<(KeySet, Timestamp)> {
    let bytes = env.key_value_store().get(&set_key(name)).await.ok()??;
    let mut r = Reader::new(&bytes);
    (r.unsigned().ok()? == FORMAT).then_some(())?;
    let fetched_at = Timestamp::from_unix_ms(r.signed().ok()?)?;
    let keys = KeySet::parse(r.bytes().ok()?, KeyOrigin::Published).ok()?;
    r.end().ok()?;
    Some((keys, fetched_at))
}

/// Stores a set. When the cache fails, another instance fetches the set again.
pub(crate) async fn write_set<E: AuthEnvironment>(env: &E, name: &str, json: &[u8], fetched_at: Timestamp) {
    let mut w = Writer::default();
    w.unsigned(FORMAT);
    w.signed(fetched_at.as_unix_ms());
    w.bytes(json);
    let _ = env.key_value_store().put(&set_key(name), &w.finish()).await;
}

/// Returns the last fetch by an instance of the region, if it is recent or running.
pub(crate) async fn read_fetch<E: AuthEnvironment>(
    env: &E,
    name: &str,
    now: Timestamp,
) -> Option<RegionFetch> {
    let bytes = env.key_value_store().get(&fetch_key(name)).await.ok()??;
    let (&ended, at) = bytes.split_first()?;
    let at = i64::from_be_bytes(at.try_into().ok()?);
    // A time in the future is from an instance with another clock, and is ignored.
    let age_ms = now.as_unix_ms().saturating_sub(at);
    match ended {
        0 if (0..LONGEST_FETCH_MS).contains(&age_ms) => Some(RegionFetch::Running),
        1 if age_ms >= 0 => Some(RegionFetch::Ended(age_ms)),
        _ => None,
    }
}

/// Records that a fetch begins, or that it has ended.
pub(crate) async fn write_fetch<E: AuthEnvironment>(env: &E, name: &str, ended: bool, now: Timestamp) {
    let mut bytes = vec![u8::from(ended)];
    bytes.extend(now.as_unix_ms().to_be_bytes());
    let _ = env.key_value_store().put(&fetch_key(name), &bytes).await;
}

/// Deletes a set and its last fetch.
pub(crate) async fn delete_set<E: AuthEnvironment>(env: &E, name: &str) {
    for key in [set_key(name), fetch_key(name)] {
        let _ = env.key_value_store().delete(&key).await;
    }
}

fn set_key(name: &str) -> String {
    format!("edge:jwks:{}", digest(name))
}

fn fetch_key(name: &str) -> String {
    format!("edge:jwks-tried:{}", digest(name))
}
