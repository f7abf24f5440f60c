//! The document cache: configuration documents in the memory of an instance and in the slots of the region's key-value store.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::rc::Rc;

use leaderboard_core::ports::{DocumentName, Documents, FIRST_SHARD, ShardNumber, Shards};
use leaderboard_core::{LruMap, StoreError, TenantId, Timestamp};

use crate::cached_documents::{CachedDocuments, DocumentBodies, Generation};
use crate::freshness::{Freshness, Lifetime};
use crate::slots::{self, PutChange, SLOT_TTL_MS};
use crate::{CacheEnvironment, CacheState, circuit_breaker};

/// How many groups of documents an instance caches.
const MAX_GROUPS: usize = 1000;
/// How long after a change every instance of the region uses the new documents, in milliseconds. An instance may use a slot that
/// it read just before the change for one TTL, and the micro-cache may reuse a response for a second TTL.
const VISIBLE_AFTER_MS: i64 = 2 * SLOT_TTL_MS + slots::CLOCK_STEP_MS;

/// How long cached documents are used, and whether an instance notices their changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLifetime {
    /// How long the documents are used. The time starts when the store is asked.
    pub lifetime: Lifetime,
    /// Whether each instance notices a change within [`SLOT_TTL_MS`]. If false, an instance notices a change only when the
    /// documents are no longer fresh.
    pub notices_changes: bool,
    /// How many of a group's documents, from the first, are its own. The others are documents of all groups of the kind.
    pub own_documents: usize,
}

/// The memory tier of documents, by the name of their group.
#[derive(Debug, Default)]
pub struct DocumentCache(RefCell<LruMap<Rc<str>, Rc<CachedDocuments>, MAX_GROUPS>>);

impl DocumentCache {
    fn find(&self, group: &str) -> Option<Rc<CachedDocuments>> {
        self.0.borrow_mut().get(group).cloned()
    }

    /// Stores documents, unless the cache has later documents of the same generation. Returns the documents that the cache then
    /// has.
    fn store(&self, group: &str, cached: CachedDocuments, now: Timestamp) -> Rc<CachedDocuments> {
        let mut groups = self.0.borrow_mut();
        if let Some(known) = groups.get(group).filter(|known| {
            known.generation == cached.generation
                && known.checked_at >= cached.checked_at
                && known.has_plausible_time(now)
        }) {
            return Rc::clone(known);
        }
        let cached = Rc::new(cached);
        groups.insert(group.into(), Rc::clone(&cached));
        cached
    }

    fn remove(&self, group: &str) {
        self.0.borrow_mut().remove(group);
    }

    fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Returns the documents of a group from the memory tier, the key-value tier, or the store.
///
/// `group` names the documents in the caches, so the same group must always have the same `names`, at least one.
///
/// If several requests find the same expired documents, each of them asks the store. An instance runs at most sixteen requests at
/// a time, and sends their commands together, so a single flight would cost more than it saves.
///
/// # Errors
/// [`StoreError`] if the store was asked and did not answer.
pub async fn load_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: impl Fn() -> Vec<DocumentName>,
    lifetime: DocumentLifetime,
) -> Result<Rc<CachedDocuments>, StoreError> {
    let (cached, generation) = find_cached(env, group, lifetime).await;
    let fetch = || DocumentFetch {
        group: group.into(),
        names: names(),
        own_documents: lifetime.own_documents,
        generation,
    };
    let Some(cached) = cached else {
        return fetch().run(env).await;
    };
    match classify(env, &cached, lifetime.lifetime) {
        Freshness::Fresh(_) => Ok(cached),
        Freshness::StaleWhileRevalidate(_) => {
            refresh_later(env, fetch());
            Ok(cached)
        }
        Freshness::Expired => fetch().run(env).await,
        Freshness::StaleIfError => {
            let fetch = fetch();
            if !fetch.has_open_shard(env).await {
                return fetch_within_patience(env, fetch, &cached).await;
            }
            refresh_later(env, fetch);
            Ok(cached)
        }
    }
}

/// Returns what cached documents may be used for. Their age counts from the instant at which the request began. A request that
/// waits may find documents that were fetched after that instant, so the current time counts as well.
fn classify<E: CacheEnvironment>(env: &E, cached: &CachedDocuments, lifetime: Lifetime) -> Freshness {
    match lifetime.classify(cached.checked_at, env.now()) {
        Freshness::Expired => lifetime.classify(cached.checked_at, env.clock()),
        usable => usable,
    }
}

/// Finds a group's documents in the memory tier. Looks in their slot if the memory tier has no fresh documents, or has not read
/// the slot within its TTL. Returns the documents and the generation of the slot; the generation is 0 if the key-value store does
/// not answer.
async fn find_cached<E: CacheEnvironment>(
    env: &E,
    group: &str,
    lifetime: DocumentLifetime,
) -> (Option<Rc<CachedDocuments>>, Generation) {
    let CacheState { documents, slots, .. } = env.cache_state();
    let slot_key = slots::slot_key(env, group);
    let known = documents.find(group);
    let is_fresh = known
        .as_ref()
        .is_some_and(|known| matches!(classify(env, known, lifetime.lifetime), Freshness::Fresh(_)));
    if is_fresh {
        let ttl_ms = if lifetime.notices_changes {
            SLOT_TTL_MS
        } else {
            i64::MAX
        };
        let now = env.clock().as_unix_ms();
        if let Some((changes, _)) = slots.find(&slot_key, ttl_ms, now) {
            let current = known
                .clone()
                .filter(|known| known.generation == changes.generation);
            if current.is_some() || !lifetime.notices_changes {
                return (current, changes.generation);
            }
        }
    }
    let Some(slot) = slots::read_slot(env, &slot_key).await else {
        return (known, 0);
    };
    let generation = slot.changes.generation;
    let found = slot
        .documents_of(group)
        .map(|found| documents.store(group, found.clone(), env.clock()));
    let known = known.filter(|known| known.generation == generation);
    (found.or(known), generation)
}

/// Fetches documents again after the response, unless another task is fetching them. If the fetch fails, the next request tries
/// again.
fn refresh_later<E: CacheEnvironment>(env: &E, fetch: DocumentFetch) {
    let Some(leader) = env.cache_state().refreshes.become_leader(&fetch.group) else {
        return;
    };
    let own_env = env.clone();
    env.later(async move {
        if fetch.probe_open_shards(&own_env).await {
            let _ = fetch.run(&own_env).await;
        }
        leader.end(());
    });
}

/// Asks the store, and returns the cached documents if the store fails or is slow. A slow fetch continues after the response.
async fn fetch_within_patience<E: CacheEnvironment>(
    env: &E,
    fetch: DocumentFetch,
    cached: &Rc<CachedDocuments>,
) -> Result<Rc<CachedDocuments>, StoreError> {
    let (own_env, shards) = (env.clone(), fetch.list_shards(env));
    let mut work = Box::pin(async move { fetch.run(&own_env).await });
    match circuit_breaker::run_within(env, circuit_breaker::PATIENCE_MS, work.as_mut()).await {
        Some(Err(StoreError::Unavailable(_))) => Ok(Rc::clone(cached)),
        Some(fetched) => fetched,
        None => {
            // Which of the shards is slow is unknown. The next answer of a shard closes its breaker.
            for shard in shards {
                circuit_breaker::open_as_slow(env, shard);
            }
            env.later(async move {
                let _ = work.await;
            });
            Ok(Rc::clone(cached))
        }
    }
}

/// A read of a group's documents from the store.
struct DocumentFetch {
    group: Rc<str>,
    names: Vec<DocumentName>,
    /// As in [`DocumentLifetime::own_documents`].
    own_documents: usize,
    /// The generation of the group's slot.
    generation: Generation,
}

impl DocumentFetch {
    /// Returns whose document it is, because those of tenants and of the operator (`None`) can be on several shards. With one shard,
    /// returns `None` for all.
    fn scope_of<'a, E: CacheEnvironment>(env: &E, name: &'a DocumentName) -> Option<&'a TenantId> {
        let is_sharded = env.store().count_shards() > FIRST_SHARD;
        name.tenant.as_ref().filter(|_| is_sharded)
    }

    /// Returns the scopes of the documents, each once ([`Self::scope_of`]).
    fn list_scopes<E: CacheEnvironment>(&self, env: &E) -> BTreeSet<Option<&TenantId>> {
        let names = self.names.iter();
        names.map(|name| Self::scope_of(env, name)).collect()
    }

    /// Returns the shards that have the documents.
    fn list_shards<E: CacheEnvironment>(&self, env: &E) -> BTreeSet<ShardNumber> {
        let scopes = self.list_scopes(env).into_iter();
        scopes.map(|scope| env.store().guess_shard(scope)).collect()
    }

    /// Returns whether the circuit breaker of a shard of the documents is open.
    async fn has_open_shard<E: CacheEnvironment>(&self, env: &E) -> bool {
        for shard in self.list_shards(env) {
            if circuit_breaker::is_open(env, shard).await {
                return true;
            }
        }
        false
    }

    /// Probes the shards of the documents whose circuit breakers are open, unless a tenant was moved away from the shard. Returns
    /// whether all shards answer.
    async fn probe_open_shards<E: CacheEnvironment>(&self, env: &E) -> bool {
        for scope in self.list_scopes(env) {
            let shard = env.store().guess_shard(scope);
            if circuit_breaker::is_open(env, shard).await
                && !is_on_another_shard(env, scope).await
                && !circuit_breaker::probe(env, shard).await
            {
                return false;
            }
        }
        true
    }

    /// Reads the documents of one scope after another, so that each circuit breaker hears of its own shard.
    async fn read_bodies<E: CacheEnvironment>(&self, env: &E) -> Result<DocumentBodies, StoreError> {
        let mut bodies = vec![None; self.names.len()];
        let mut scopes: BTreeMap<_, (Vec<_>, Vec<_>)> = BTreeMap::new();
        for (slot, name) in bodies.iter_mut().zip(&self.names) {
            let (slots, names) = scopes.entry(Self::scope_of(env, name)).or_default();
            slots.push(slot);
            names.push(name.clone());
        }
        for (scope, (slots, names)) in scopes {
            check_recent_failure(env, scope).await?;
            let read = env.store().read_documents(&names).await;
            // The shard on which the command ended can be another one than the guess before the command.
            let shard = env.store().guess_shard(scope);
            match &read {
                Ok(_) => circuit_breaker::close(env, shard),
                Err(StoreError::Unavailable(cause)) => circuit_breaker::open(env, shard, cause),
                Err(_) => {}
            }
            for (slot, body) in slots.into_iter().zip(read?) {
                *slot = body;
            }
        }
        Ok(bodies)
    }

    /// Asks the store for the documents and returns them. Stores them in the memory tier at once, and in their slot after the
    /// response.
    async fn run<E: CacheEnvironment>(self, env: &E) -> Result<Rc<CachedDocuments>, StoreError> {
        // The clock is read before the store is, so that a later change is never assumed to be in the documents.
        let checked_at = env.clock();
        let bodies = Rc::new(self.read_bodies(env).await?);
        let fetched = CachedDocuments {
            has_own_documents: bodies.iter().take(self.own_documents).any(Option::is_some),
            bodies,
            checked_at,
            generation: self.generation,
        };
        let cached = env
            .cache_state()
            .documents
            .store(&self.group, fetched, env.clock());
        let (own_env, group, fetched) = (env.clone(), self.group, Rc::clone(&cached));
        env.later(async move {
            let cache = &own_env.cache_state().documents;
            let is_cached = || {
                cache
                    .find(&group)
                    .is_some_and(|known| Rc::ptr_eq(&known, &fetched))
            };
            // This request may have changed one of the documents since, or another instance may have.
            if is_cached() && !slots::put_documents(&own_env, &group, &fetched).await && is_cached() {
                cache.remove(&group);
            }
        });
        Ok(cached)
    }
}

/// Returns the error of a recent command if the next one to the same shard would fail, too: so the requests of an instance do not each wait
/// for a shard that has just failed. A tenant who was moved away from that shard is looked for on the others first.
async fn check_recent_failure<E: CacheEnvironment>(
    env: &E,
    scope: Option<&TenantId>,
) -> Result<(), StoreError> {
    let shard = env.store().guess_shard(scope);
    let breaker = env.cache_state().breakers.of_shard(shard);
    match breaker.recent_failure(env.clock()) {
        Some(error) if !is_on_another_shard(env, scope).await => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether a tenant lives on another shard than this instance knew. If so, the instance knows it from then on. Does not wait for
/// shards that are slow.
async fn is_on_another_shard<E: CacheEnvironment>(env: &E, scope: Option<&TenantId>) -> bool {
    let Some(tenant) = scope else {
        return false;
    };
    let search = pin!(env.store().find_on_other_shards(tenant));
    let found = circuit_breaker::run_within(env, circuit_breaker::PATIENCE_MS, search).await;
    found.unwrap_or(false)
}

/// Removes the documents of a group from the caches because one of them has changed. Instances that read the slot no longer use
/// the documents from before the change. The change is confirmed after the response.
pub async fn invalidate_documents<E: CacheEnvironment>(env: &E, group: &str) {
    let change = begin_change(env, group).await;
    slots::confirm_later(env, change);
}

/// Does the same as [`invalidate_documents`], and returns when every instance of the region that notices changes has noticed this
/// one. Awaits `announcement` once the change is put.
pub async fn publish_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    announcement: impl Future<Output = ()>,
) {
    let change = begin_change(env, group).await;
    announcement.await;
    slots::confirm_changes(env, vec![change]).await;
    env.pause(VISIBLE_AFTER_MS.unsigned_abs()).await;
}

/// Does the same as [`publish_documents`] for all groups of a kind, because a document that they share has changed.
pub async fn publish_documents_of_kind<E: CacheEnvironment>(env: &E, kind: &str) {
    env.cache_state().documents.clear();
    slots::change_kind(env, kind).await;
    env.pause(VISIBLE_AFTER_MS.unsigned_abs()).await;
}

async fn begin_change<E: CacheEnvironment>(env: &E, group: &str) -> PutChange {
    env.cache_state().documents.remove(group);
    slots::begin_document_change(env, group).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    #[test]
    fn older_documents_never_replace_later_ones_of_their_generation() {
        let cache = DocumentCache::default();
        let store = |ms, generation, now| {
            let cached = CachedDocuments {
                bodies: Rc::default(),
                checked_at: at(ms),
                generation,
                has_own_documents: false,
            };
            cache.store("a", cached, at(now)).checked_at
        };
        assert_eq!(store(5_000, 1, 5_000), at(5_000));
        assert_eq!(store(4_999, 1, 5_000), at(5_000));
        assert_eq!(store(4_998, 2, 5_000), at(4_998));
        // Documents of a clock that is far ahead are replaced.
        assert_eq!(store(10_000, 2, 10_000), at(10_000));
        assert_eq!(store(9_000, 2, 9_000), at(10_000));
        assert_eq!(store(8_999, 2, 8_999), at(8_999));
    }
}
