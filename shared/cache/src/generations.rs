//! The generation of each group of documents (docs/decisions/0032).
//!
//! A change of a document gives its group a new generation, under a small key of the region's key-value store, before the
//! response to the change. Cached documents contain their generation, and are used only while it is the group's. So after the
//! response to a change, no instance goes back to the documents from before the change.

use std::cell::RefCell;
use std::collections::HashMap;

use leaderboard_core::ports::Cache;

use crate::CacheEnvironment;

/// How long an instance uses a generation before it reads the generation again, in milliseconds.
const GENERATION_TTL_MS: i64 = 20;
/// How long after a change every instance of the region uses the new documents, in milliseconds. An instance may use a generation
/// that it read just before the change for one TTL, and the micro-cache may reuse the response for one more.
const VISIBLE_AFTER_MS: i64 = 2 * GENERATION_TTL_MS + CLOCK_STEP_MS;
/// The error of a clock that counts whole milliseconds, at both ends together.
const CLOCK_STEP_MS: i64 = 2;
/// How many groups' generations an instance keeps.
const MAX_GROUPS: usize = 1_000;

/// The number of a group's last change. No two changes of a group have the same number; 0 is before the first change.
pub type Generation = u64;

/// The generations that an instance has read, and when, in milliseconds since the epoch.
#[derive(Debug, Default)]
pub struct Generations(RefCell<HashMap<Box<str>, (Generation, i64)>>);

impl Generations {
    fn find_recent(&self, group: &str, now: i64) -> Option<Generation> {
        let known = self.0.borrow();
        let (generation, read_at) = known.get(group)?;
        (0..GENERATION_TTL_MS)
            .contains(&(now - read_at))
            .then_some(*generation)
    }

    fn store(&self, group: &str, generation: Generation, read_at: i64) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_GROUPS && !known.contains_key(group) {
            // Every generation can be read again.
            known.clear();
        }
        known.insert(group.into(), (generation, read_at));
    }
}

/// Returns a group's generation, read within the last [`GENERATION_TTL_MS`]. Returns `None` if the key-value store does not answer.
pub async fn find_generation<E: CacheEnvironment>(env: &E, group: &str) -> Option<Generation> {
    let generations = &env.cache_state().generations;
    let read_at = env.clock().as_unix_ms();
    if let Some(generation) = generations.find_recent(group, read_at) {
        return Some(generation);
    }
    let found = env.region().get(&format_key(group)).await.ok()?;
    let generation = found.map_or(0, |bytes| bytes.try_into().map_or(0, Generation::from_be_bytes));
    generations.store(group, generation, read_at);
    Some(generation)
}

/// Begins a new generation of a group, because one of its documents has changed, and returns the generation.
pub async fn begin_generation<E: CacheEnvironment>(env: &E, group: &str) -> Generation {
    let before = env.region().get(&format_key(group)).await.ok().flatten();
    let now = env.clock().as_unix_ms().to_be_bytes();
    // The random id makes concurrent changes differ, and the generation before makes successive ones differ.
    let seed = [&env.new_trace_id()[..], &now, &before.unwrap_or_default()].concat();
    let generation = hash_fnv(&seed).max(1);
    // If the put fails, cached documents are used until their age ends that.
    let _ = env
        .region()
        .put(&format_key(group), &generation.to_be_bytes())
        .await;
    let now = env.clock().as_unix_ms();
    env.cache_state().generations.store(group, generation, now);
    generation
}

/// Waits until every instance of the region uses the documents changed at `changed_at` (in milliseconds since the epoch).
pub async fn wait_until_visible<E: CacheEnvironment>(env: &E, changed_at: i64) {
    let left = VISIBLE_AFTER_MS - (env.clock().as_unix_ms() - changed_at);
    let left = left.clamp(0, VISIBLE_AFTER_MS);
    if left > 0 {
        env.pause(left.unsigned_abs()).await;
    }
}

/// Returns the FNV-1a hash, which is the same in every instance.
pub(crate) fn hash_fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn format_key(group: &str) -> String {
    format!("edge:generation:{group}")
}
