//! Which generation of a group's documents holds in the region.
//!
//! A change of a document gives its group a new generation, under a small key of the region's key-value store, before its answer
//! goes out. A copy of the documents says of which generation it is, and is used for as long as that is the region's. So an
//! instance never goes back to what was there before a change that has been answered (docs/decisions/0032).

use std::cell::RefCell;
use std::collections::HashMap;

use leaderboard_core::ports::Cache;

use crate::CacheEnvironment;

/// How long an instance takes the generation that it read for the region's, in milliseconds.
const TRUST_MS: i64 = 20;
/// How long after a change every instance of the region uses the new documents, in milliseconds: what it read just before the
/// change, and what it answers again because of that.
const SHOWN_AFTER_MS: i64 = 2 * TRUST_MS + CLOCK_STEP_MS;
/// What a clock that counts milliseconds may be wrong by, at either end.
const CLOCK_STEP_MS: i64 = 2;
/// How many groups' generations an instance remembers.
const MAX_GROUPS: usize = 1_000;

/// A number that no other change of the same group has; 0 before the first change.
pub type Generation = u64;

/// The generations that an instance has read, and when, in milliseconds since the epoch.
#[derive(Debug, Default)]
pub struct Generations(RefCell<HashMap<Box<str>, (Generation, i64)>>);

impl Generations {
    fn find(&self, group: &str, now: i64) -> Option<Generation> {
        let known = self.0.borrow();
        let (generation, read_at) = known.get(group)?;
        (0..TRUST_MS).contains(&(now - read_at)).then_some(*generation)
    }

    fn remember(&self, group: &str, generation: Generation, read_at: i64) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_GROUPS && !known.contains_key(group) {
            // Each can be read again.
            known.clear();
        }
        known.insert(group.into(), (generation, read_at));
    }
}

/// The generation that holds in the region, as it was within the last [`TRUST_MS`]; `None` when the region cannot tell.
pub async fn current<E: CacheEnvironment>(env: &E, group: &str) -> Option<Generation> {
    let generations = &env.cache_state().generations;
    let read_at = env.clock().as_unix_ms();
    if let Some(generation) = generations.find(group, read_at) {
        return Some(generation);
    }
    let found = env.region().get(&key(group)).await.ok()?;
    let generation = found.map_or(0, |bytes| bytes.try_into().map_or(0, Generation::from_be_bytes));
    generations.remember(group, generation, read_at);
    Some(generation)
}

/// Begins a new generation, because a document of the group has changed.
pub async fn begin<E: CacheEnvironment>(env: &E, group: &str) -> Generation {
    let before = env.region().get(&key(group)).await.ok().flatten();
    let now = env.clock().as_unix_ms().to_be_bytes();
    // Two changes at once get different ones by chance, and one after the other by the one before.
    let made_of = [&env.new_trace_id()[..], &now, &before.unwrap_or_default()].concat();
    let generation = fnv(&made_of).max(1);
    // Where the region does not take it, copies end by their age.
    let _ = env.region().put(&key(group), &generation.to_be_bytes()).await;
    let now = env.clock().as_unix_ms();
    env.cache_state().generations.remember(group, generation, now);
    generation
}

/// Waits until every instance of the region uses what was changed at an instant (in milliseconds since the epoch).
pub async fn wait_until_shown<E: CacheEnvironment>(env: &E, changed_at: i64) {
    let left = SHOWN_AFTER_MS - (env.clock().as_unix_ms() - changed_at);
    let left = left.clamp(0, SHOWN_AFTER_MS);
    if left > 0 {
        env.pause(left.unsigned_abs()).await;
    }
}

/// FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn key(group: &str) -> String {
    format!("edge:generation:{group}")
}
