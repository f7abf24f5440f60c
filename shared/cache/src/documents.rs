//! The document cache: configuration documents in the memory of an instance and in the region's key-value store.

mod key_value_tier;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leaderboard_core::ports::{DocumentName, Documents};
use leaderboard_core::{LruMap, StoreError, Timestamp, Versioned};

use super::generations::{self, Generation};
use crate::CacheEnvironment;
use crate::circuit_breaker;

/// How many groups of documents an instance caches.
const MAX_GROUPS: usize = 1000;
/// How much the clocks of two instances may differ, in milliseconds.
pub const CLOCK_MARGIN_MS: i64 = 1_000;

/// How long cached documents may be used. Each age is counted from the instant at which the store was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLifetime {
    /// From this age on, in milliseconds, cached documents are fetched again after the response.
    pub soft_ttl_ms: i64,
    /// From this age on, in milliseconds, the store is asked before the response.
    pub hard_ttl_ms: i64,
    /// Up to this age, in milliseconds, cached documents are used if the store does not answer.
    pub stale_if_error_ms: i64,
    /// Whether [`invalidate_documents`] makes all cached documents of the group unusable in the region, whatever their age.
    pub checks_generation: bool,
}

/// The bodies of some documents, in the order of their names; `None` for a document that does not exist.
pub type DocumentBodies = Vec<Option<Versioned<Vec<u8>>>>;

/// The cached documents of a group.
#[derive(Debug)]
struct CachedDocuments {
    /// Empty if the documents are unknown: they changed before `checked_at`, and the store has not been read since.
    bodies: Rc<DocumentBodies>,
    /// The instant just before the store was asked.
    checked_at: Timestamp,
    /// The group's generation before the store was asked.
    generation: Generation,
    /// Whether a task is fetching the documents again.
    refreshing: Cell<bool>,
}

/// Why the store is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FetchReason {
    /// A request needs the documents, now or later.
    Read,
    /// The documents have just been changed.
    Change,
}

impl CachedDocuments {
    const fn new(bodies: Rc<DocumentBodies>, checked_at: Timestamp, generation: Generation) -> Self {
        Self {
            bodies,
            checked_at,
            generation,
            refreshing: Cell::new(false),
        }
    }

    const fn age_ms(&self, now: Timestamp) -> i64 {
        now.as_unix_ms() - self.checked_at.as_unix_ms()
    }

    /// Returns whether `checked_at` is at most [`CLOCK_MARGIN_MS`] in the future. Documents of a clock that is further ahead
    /// would stay fresh until this clock gets there.
    const fn has_plausible_time(&self, now: Timestamp) -> bool {
        self.age_ms(now) >= -CLOCK_MARGIN_MS
    }

    fn is_known(&self) -> bool {
        !self.bodies.is_empty()
    }

    /// Returns whether the cache keeps these documents rather than `other`: the store was asked later. If both were asked in the
    /// same millisecond, documents that were fetched after a change win.
    fn is_newer_than(&self, other: &Self, reason: FetchReason, now: Timestamp) -> bool {
        let later = match reason {
            FetchReason::Read => self.checked_at >= other.checked_at,
            FetchReason::Change => self.checked_at > other.checked_at,
        };
        later && self.has_plausible_time(now)
    }
}

/// The task that fetches documents again. Dropping it, finished or not, allows the next such task.
struct Refresh(Rc<CachedDocuments>);

impl Refresh {
    /// Begins a refresh, or returns `None` if another one is running.
    fn begin(cached: &Rc<CachedDocuments>) -> Option<Self> {
        (!cached.refreshing.replace(true)).then(|| Self(Rc::clone(cached)))
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.0.refreshing.set(false);
    }
}

/// The memory tier of documents, by the name of their group.
#[derive(Debug, Default)]
pub struct DocumentCache(RefCell<LruMap<Rc<str>, Rc<CachedDocuments>, MAX_GROUPS>>);

impl DocumentCache {
    fn find(&self, group: &str) -> Option<Rc<CachedDocuments>> {
        self.0.borrow_mut().get(group).cloned()
    }

    /// Returns when the store was asked for these bodies, or `None` if the cache has other bodies by now.
    pub fn find_checked_at(&self, group: &str, bodies: &Rc<DocumentBodies>) -> Option<Timestamp> {
        let cached = self.find(group)?;
        Rc::ptr_eq(&cached.bodies, bodies).then_some(cached.checked_at)
    }

    /// Stores documents unless newer ones are there. Returns those that the cache has then.
    fn store(
        &self,
        group: &str,
        cached: Rc<CachedDocuments>,
        reason: FetchReason,
        now: Timestamp,
    ) -> Rc<CachedDocuments> {
        let mut groups = self.0.borrow_mut();
        if let Some(known) = groups
            .get(group)
            .filter(|known| known.is_newer_than(&cached, reason, now))
        {
            return Rc::clone(known);
        }
        groups.insert(group.into(), Rc::clone(&cached));
        cached
    }
}

/// Returns the documents of a group from the memory tier, the key-value tier, or the store.
///
/// `group` names the documents in the caches, so the same group must always have the same `names`, at least one.
///
/// If several requests find the same expired documents, each of them asks the store. An instance runs at most sixteen requests at
/// once, and sends their commands together, so waiting for one another would cost more than it saves.
///
/// # Errors
/// [`StoreError`] if the store had to be asked and did not answer.
pub async fn load_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: impl Fn() -> Vec<DocumentName> + 'static,
    lifetime: DocumentLifetime,
) -> Result<Rc<DocumentBodies>, StoreError> {
    let now = env.now();
    let generation = if lifetime.checks_generation {
        generations::find_generation(env, group).await
    } else {
        None
    };
    let cached = find_cached(env, group, lifetime.soft_ttl_ms, generation).await;
    let generation = generation.unwrap_or_default();
    let Some(cached) = cached.filter(|cached| cached.is_known()) else {
        return fetch_documents(env, group, &names(), FetchReason::Read, generation).await;
    };
    let age_ms = cached.age_ms(now);
    if age_ms < lifetime.soft_ttl_ms {
        return Ok(Rc::clone(&cached.bodies));
    }
    if age_ms < lifetime.hard_ttl_ms {
        refresh_later(env, group, names, &cached, generation);
        return Ok(Rc::clone(&cached.bodies));
    }
    if age_ms >= lifetime.stale_if_error_ms {
        return fetch_documents(env, group, &names(), FetchReason::Read, generation).await;
    }
    if !circuit_breaker::is_open(env).await {
        return fetch_within_patience(env, group, names(), &cached).await;
    }
    circuit_breaker::probe_later(env);
    Ok(Rc::clone(&cached.bodies))
}

/// Finds a group's documents in the memory tier. If these are older than the soft TTL, takes newer ones of the key-value tier.
/// Documents of another generation do not count.
async fn find_cached<E: CacheEnvironment>(
    env: &E,
    group: &str,
    soft_ttl_ms: i64,
    generation: Option<Generation>,
) -> Option<Rc<CachedDocuments>> {
    let now = env.now();
    let cache = &env.cache_state().documents;
    // A request that has been waiting may find documents that were fetched after it arrived, so the clock counts as well.
    let is_usable = |cached: &CachedDocuments| {
        (cached.has_plausible_time(now) || cached.has_plausible_time(env.clock()))
            && generation.is_none_or(|generation| cached.generation == generation)
    };
    let cached = cache.find(group).filter(|cached| is_usable(cached));
    if cached
        .as_ref()
        .is_some_and(|cached| cached.age_ms(now) < soft_ttl_ms)
    {
        return cached;
    }
    let Some(found) = key_value_tier::find(env, group).await.filter(is_usable) else {
        return cached;
    };
    if cached
        .as_ref()
        .is_some_and(|cached| cached.checked_at >= found.checked_at)
    {
        return cached;
    }
    Some(cache.store(group, Rc::new(found), FetchReason::Read, env.clock()))
}

/// Fetches documents again after the response, unless another task is doing so. If that fails, the next request tries again.
fn refresh_later<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: impl Fn() -> Vec<DocumentName> + 'static,
    cached: &Rc<CachedDocuments>,
    generation: Generation,
) {
    let Some(refresh) = Refresh::begin(cached) else {
        return;
    };
    let (own_env, group) = (env.clone(), Rc::<str>::from(group));
    env.later(async move {
        if circuit_breaker::is_open(&own_env).await && !circuit_breaker::probe(&own_env).await {
            return;
        }
        let _ = fetch_documents(&own_env, &group, &names(), FetchReason::Read, generation).await;
        drop(refresh);
    });
}

/// Asks the store, and returns the cached documents if the store fails or is slow. A slow fetch continues after the response.
async fn fetch_within_patience<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: Vec<DocumentName>,
    cached: &CachedDocuments,
) -> Result<Rc<DocumentBodies>, StoreError> {
    let (own_env, group, generation) = (env.clone(), Rc::<str>::from(group), cached.generation);
    let mut fetch =
        Box::pin(
            async move { fetch_documents(&own_env, &group, &names, FetchReason::Read, generation).await },
        );
    match circuit_breaker::run_within(env, circuit_breaker::PATIENCE_MS, fetch.as_mut()).await {
        Some(Err(StoreError::Unavailable(_))) => Ok(Rc::clone(&cached.bodies)),
        Some(fetched) => fetched,
        None => {
            circuit_breaker::open_as_slow(env);
            env.later(async move {
                let _ = fetch.await;
            });
            Ok(Rc::clone(&cached.bodies))
        }
    }
}

/// Replaces the cached documents of a group that has changed by the store's. If the store does not answer, the cache records that
/// the documents are unknown.
pub async fn refresh_documents<E: CacheEnvironment>(env: &E, group: &str, names: &[DocumentName]) {
    replace_documents(env, group, names, 0).await;
}

/// As [`refresh_documents`], for documents that are read with [`DocumentLifetime::checks_generation`]: soon, no instance of the
/// region uses the documents from before the change. [`generations::wait_until_visible`] waits until then.
pub async fn invalidate_documents<E: CacheEnvironment>(env: &E, group: &str, names: &[DocumentName]) {
    // The generation begins before the store is asked, so that documents fetched before the change do not have it.
    let generation = generations::begin_generation(env, group).await;
    replace_documents(env, group, names, generation).await;
}

async fn replace_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: &[DocumentName],
    generation: Generation,
) {
    let fetched = fetch_documents(env, group, names, FetchReason::Change, generation).await;
    if fetched.is_err() {
        let unknown = CachedDocuments::new(Rc::default(), env.clock(), generation);
        store_documents(env, group, unknown, FetchReason::Change).await;
    }
}

/// Asks the store, and stores the documents in both tiers. Returns the newest documents that are known then.
async fn fetch_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: &[DocumentName],
    reason: FetchReason,
    generation: Generation,
) -> Result<Rc<DocumentBodies>, StoreError> {
    // The clock is read before the store is, so that a later change is never assumed to be in the documents.
    let checked_at = env.clock();
    // After a change the store has just answered, so an older failure does not count.
    if let (FetchReason::Read, Some(error)) = (reason, env.cache_state().breaker.recent_failure(checked_at)) {
        return Err(error);
    }
    let bodies = match env.store().read_documents(names).await {
        Ok(bodies) => Rc::new(bodies),
        Err(error) => {
            if let StoreError::Unavailable(cause) = &error {
                circuit_breaker::open(env, cause);
            }
            return Err(error);
        }
    };
    circuit_breaker::close(env);
    let cached = CachedDocuments::new(Rc::clone(&bodies), checked_at, generation);
    let newest = store_documents(env, group, cached, reason).await;
    Ok(if newest.is_known() {
        Rc::clone(&newest.bodies)
    } else {
        bodies
    })
}

/// Stores documents in both tiers, unless newer ones are there. Returns the newest. The key-value store has no transactions, so
/// older documents may replace newer ones that another instance puts at the same moment; their age then ends their use.
async fn store_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    cached: CachedDocuments,
    reason: FetchReason,
) -> Rc<CachedDocuments> {
    let mut newest = Rc::new(cached);
    if let Some(key_value_store) = env.cache() {
        let found = key_value_tier::find(env, group).await;
        if let Some(found) = found.filter(|found| found.is_newer_than(&newest, reason, env.clock())) {
            newest = Rc::new(found);
        } else {
            key_value_tier::put(key_value_store, group, &newest).await;
        }
    }
    let memory_tier = &env.cache_state().documents;
    memory_tier.store(group, newest, reason, env.clock())
}

#[cfg(test)]
mod tests;
