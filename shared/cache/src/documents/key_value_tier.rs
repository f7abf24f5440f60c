//! The key-value tier of documents. If the key-value store fails, the store is asked more often; no response is wrong.

use std::rc::Rc;

use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::Cache;
use leaderboard_core::{Timestamp, Versioned};

use super::{CachedDocuments, DocumentBodies};
use crate::CacheEnvironment;
use crate::generations::hash_fnv;

/// The version of the format in the key-value store.
const FORMAT_VERSION: u64 = 4;
/// How many groups without any document the key-value store holds at most. Such groups share this many keys, so that invented names
/// cannot fill the key-value store.
pub(super) const EMPTY_GROUP_KEYS: u64 = 256;

/// Puts the documents of a group. Unknown documents go under the group's own key.
pub(super) async fn put(key_value_store: &impl Cache, group: &str, cached: &CachedDocuments) {
    let bytes = pack(group, cached);
    if cached.is_known() && cached.bodies.iter().all(Option::is_none) {
        let _ = key_value_store.delete(&format_key(group)).await;
        let _ = key_value_store.put(&format_empty_key(group), &bytes).await;
    } else {
        let _ = key_value_store.put(&format_key(group), &bytes).await;
    }
}

/// Finds the documents of a group.
pub(super) async fn find<E: CacheEnvironment>(env: &E, group: &str) -> Option<CachedDocuments> {
    let key_value_store = env.cache()?;
    for key in [format_key(group), format_empty_key(group)] {
        let bytes = key_value_store.get(&key).await.ok()?;
        let cached = bytes.and_then(|bytes| unpack(group, &bytes));
        if cached.is_some() {
            return cached;
        }
    }
    None
}

fn format_key(group: &str) -> String {
    format!("edge:{group}")
}

/// Returns the key of a group without any document, which other such groups share.
pub(super) fn format_empty_key(group: &str) -> String {
    format!("edge:none:{}", hash_fnv(group.as_bytes()) % EMPTY_GROUP_KEYS)
}

pub(super) fn pack(group: &str, cached: &CachedDocuments) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(FORMAT_VERSION);
    w.text(group);
    w.unsigned(cached.generation);
    w.signed(cached.checked_at.as_unix_ms());
    w.unsigned(cached.bodies.len() as u64);
    for body in cached.bodies.iter() {
        w.unsigned(body.as_ref().map_or(0, |body| body.version));
        if let Some(body) = body {
            w.bytes(&body.value);
        }
    }
    w.finish()
}

/// Reads documents. Returns `None` for bytes of another group or format, and for damaged bytes.
pub(super) fn unpack(group: &str, bytes: &[u8]) -> Option<CachedDocuments> {
    let mut r = Reader::new(bytes);
    (r.unsigned().ok()? == FORMAT_VERSION && r.text().ok()? == group).then_some(())?;
    let generation = r.unsigned().ok()?;
    let checked_at = Timestamp::from_unix_ms(r.signed().ok()?)?;
    let mut bodies = DocumentBodies::new();
    for _ in 0..r.unsigned().ok()? {
        let version = r.unsigned().ok()?;
        bodies.push(match version {
            0 => None,
            version => Some(Versioned {
                version,
                value: r.bytes().ok()?.to_vec(),
            }),
        });
    }
    r.end().ok()?;
    Some(CachedDocuments::new(Rc::new(bodies), checked_at, generation))
}
