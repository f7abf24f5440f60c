//! What the instances of a region tell each other of key sets: the last good set, and that somebody has tried to fetch it.

use leaderboard_core::Timestamp;
use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::Cache;
use leaderboard_identity::token::{KeyOrigin, KeySet};

use super::index::digest;
use crate::AuthEnvironment;

/// The form of a set in the region's cache.
const FORM: u64 = 1;
/// How long an attempt takes at most, in milliseconds: two documents, of three seconds each. One that takes longer has
/// ended with its instance.
const LONGEST_ATTEMPT_MS: i64 = 7_000;

/// An attempt to fetch a set, somewhere in the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// One is under way.
    UnderWay,
    /// One has ended so many milliseconds ago.
    Ended(i64),
}

/// The last good set, and when it was fetched.
pub(crate) async fn set<E: AuthEnvironment>(env: &E, name: &str) -> Option<(KeySet, Timestamp)> {
    let bytes = env.region().get(&set_key(name)).await.ok()??;
    let mut r = Reader::new(&bytes);
    (r.unsigned().ok()? == FORM).then_some(())?;
    let fetched_at = Timestamp::from_unix_ms(r.signed().ok()?)?;
    let keys = KeySet::parse(r.bytes().ok()?, KeyOrigin::Published).ok()?;
    r.end().ok()?;
    Some((keys, fetched_at))
}

/// Keeps a set. A cache that fails costs another fetch, never an answer.
pub(crate) async fn keep<E: AuthEnvironment>(env: &E, name: &str, json: &[u8], fetched_at: Timestamp) {
    let mut w = Writer::default();
    w.unsigned(FORM);
    w.signed(fetched_at.as_unix_ms());
    w.bytes(json);
    let _ = env.region().put(&set_key(name), &w.finish()).await;
}

/// The last attempt of any instance of the region, as far as it matters.
pub(crate) async fn attempt<E: AuthEnvironment>(env: &E, name: &str, now: Timestamp) -> Option<Attempt> {
    let bytes = env.region().get(&attempt_key(name)).await.ok()??;
    let (&ended, at) = bytes.split_first()?;
    let at = i64::from_be_bytes(at.try_into().ok()?);
    // One from further ahead than clocks differ is none.
    let age_ms = now.as_unix_ms().saturating_sub(at);
    match ended {
        0 if (0..LONGEST_ATTEMPT_MS).contains(&age_ms) => Some(Attempt::UnderWay),
        1 if age_ms >= 0 => Some(Attempt::Ended(age_ms)),
        _ => None,
    }
}

/// Says that an attempt begins, or has ended.
pub(crate) async fn note_attempt<E: AuthEnvironment>(env: &E, name: &str, ended: bool, now: Timestamp) {
    let mut bytes = vec![u8::from(ended)];
    bytes.extend(now.as_unix_ms().to_be_bytes());
    let _ = env.region().put(&attempt_key(name), &bytes).await;
}

/// Drops what is kept of a set.
pub(crate) async fn forget<E: AuthEnvironment>(env: &E, name: &str) {
    for key in [set_key(name), attempt_key(name)] {
        let _ = env.region().delete(&key).await;
    }
}

fn set_key(name: &str) -> String {
    format!("edge:jwks:{}", digest(name))
}

fn attempt_key(name: &str) -> String {
    format!("edge:jwks-tried:{}", digest(name))
}
