//! Fetches an entry: from the key-value tier if it has a usable one, otherwise from the store.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::{ReadAccess, Timestamp};

use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, leaderboard_scope};
use super::fetch_outcome::CachedRefusal;
use super::freshness::classify_freshness;
use super::store_fetch::{Servers, fetch_from_store};
use super::{build_deps, invalidation, key_value_tier};
use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;
use leaderboard_cache::freshness::Freshness;
use leaderboard_cache::lease::Lease;

/// The first pause while another instance fetches, in milliseconds. Each further pause is twice as long as the one before.
const FIRST_PAUSE_MS: u64 = 4;
/// The longest pause while another instance fetches, in milliseconds.
const MAX_PAUSE_MS: u64 = 16;
/// How long a request waits for other instances in total, in milliseconds.
const MAX_WAIT_MS: i64 = 3_000;
/// The `not_before` of a request that accepts an entry of any age.
pub(crate) const ANY_AGE: i64 = i64::MIN;

/// Whether a client waits for the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A client waits: if another instance fetches the entry, wait for that instance.
    Now,
    /// No client waits: if another instance fetches the entry, return at once.
    Background,
}

/// The result of a fetch.
pub(crate) enum Fetched {
    /// This instance asked the store, and the entry is stored in the cache.
    Cached(Rc<CacheEntry>),
    /// Another instance of the region asked the store, and this instance read the entry from the key-value tier.
    FromKeyValueTier(Rc<CacheEntry>),
    /// This instance asked the store, and the leaderboard's configuration forbids storing the entry.
    NotCacheable(Rc<CacheEntry>),
    /// Another instance fetches the entry, and this fetch does not wait for it ([`Urgency::Background`]).
    InProgress,
    /// The circuit breaker is open, and the memory tier has an older entry. The store was not asked.
    BreakerOpen,
}

/// Fetches the entry of a cache key as a reader without special rights sees it. Uses an entry of the key-value tier if it is
/// usable and was fetched at `not_before` (in milliseconds since the epoch) or later. Otherwise asks the store.
///
/// # Errors
/// The problem that corresponds to the store's answer.
pub(crate) async fn fetch_entry<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    key_text: &str,
    urgency: Urgency,
    not_before: i64,
) -> Result<Fetched, CachedRefusal> {
    let lease = match find_elsewhere(env, key, key_text, urgency, not_before).await? {
        Elsewhere::Ended(fetched) => return Ok(fetched),
        Elsewhere::Missing(lease) => lease,
    };
    let servers = match urgency {
        Urgency::Now if not_before != ANY_AGE => Servers::Primary,
        _ => Servers::All,
    };
    let answer = fetch_from_store(env, key, key_text, &Caller::Reader, servers).await;
    store_answer(env, key, key_text, (lease, urgency), answer).await
}

/// Whether this instance must ask the store.
enum Elsewhere {
    /// The store need not be asked.
    Ended(Fetched),
    /// This instance asks the store, with the lease if the key takes one.
    Missing(Option<Lease>),
}

/// Looks for the entry in the key-value tier. If other instances are likely to want the entry too, takes the lease to fetch it,
/// or waits for the instance that has the lease.
///
/// # Errors
/// 404 if the leaderboard does not exist.
async fn find_elsewhere<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    key_text: &str,
    urgency: Urgency,
    not_before: i64,
) -> Result<Elsewhere, CachedRefusal> {
    let began = env.clock();
    let accepts_stale = urgency == Urgency::Now;
    let at_least = (began, not_before);
    if let Some(entry) = find_in_key_value_tier(env, key, key_text, at_least, accepts_stale).await {
        return Ok(Elsewhere::Ended(Fetched::FromKeyValueTier(entry)));
    }
    // The breaker matters only if there is an older entry to respond with.
    let has_older = not_before == ANY_AGE && env.responses().find_entry(key_text).is_some();
    if urgency == Urgency::Now && has_older && circuit_breaker::is_open(env, key.guess_shard(env)).await {
        return Ok(Elsewhere::Ended(Fetched::BreakerOpen));
    }
    // A key that few clients ask for is hardly ever fetched by two instances at once, so a lease would only cost time.
    if !key.is_common() || !is_cacheable(env, key, key_text).await? {
        return Ok(Elsewhere::Missing(None));
    }
    let give_up_at = began.as_unix_ms() + MAX_WAIT_MS;
    let lease_key = key_value_tier::lease_key(key, key_text);
    while env.clock().as_unix_ms() < give_up_at {
        let lease = Lease::take(env, &lease_key, key_text).await;
        if lease.is_none() {
            if urgency == Urgency::Background {
                return Ok(Elsewhere::Ended(Fetched::InProgress));
            }
            wait_for_lease(env, &lease_key, key_text).await;
        }
        // Another instance may have stored the entry since the first look.
        if let Some(entry) = find_in_key_value_tier(env, key, key_text, at_least, false).await {
            release_lease(env, lease).await;
            return Ok(Elsewhere::Ended(Fetched::FromKeyValueTier(entry)));
        }
        if lease.is_some() {
            return Ok(Elsewhere::Missing(lease));
        }
    }
    Ok(Elsewhere::Missing(None))
}

/// Returns whether the leaderboard's cached configuration allows storing responses.
///
/// # Errors
/// 404 if the leaderboard does not exist, so that the key-value store gets no values for it.
async fn is_cacheable<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    key_text: &str,
) -> Result<bool, CachedRefusal> {
    let deps = build_deps(env, &key.tenant, env.clock());
    match deps.load_leaderboard(&key.leaderboard).await {
        Ok(Some(board)) => Ok(board.value.cache.lifetime_ms > 0),
        Ok(None) => {
            let unknown = Problem::new(ProblemType::LeaderboardNotFound);
            Err(record_refusal(env, key, key_text, unknown))
        }
        Err(error) => Err(record_refusal(env, key, key_text, error.into())),
    }
}

/// Waits until the other instance's lease is released or ends, at most [`MAX_WAIT_MS`].
async fn wait_for_lease<E: ResponseEnvironment>(env: &E, lease_key: &str, key_text: &str) {
    let give_up_at = env.clock().as_unix_ms() + MAX_WAIT_MS;
    let mut pause_ms = FIRST_PAUSE_MS;
    loop {
        env.pause(pause_ms).await;
        if env.clock().as_unix_ms() >= give_up_at || !Lease::is_taken(env, lease_key, key_text).await {
            return;
        }
        pause_ms = (2 * pause_ms).min(MAX_PAUSE_MS);
    }
}

async fn release_lease<E: ResponseEnvironment>(env: &E, lease: Option<Lease>) {
    if let Some(lease) = lease {
        lease.release(env).await;
    }
}

/// Finds the key-value tier's entry and puts it into the memory tier. Returns the entry if it is usable for a request that
/// arrived at `since`, and was fetched at `not_before` or later.
pub(crate) async fn find_in_key_value_tier<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    key_text: &str,
    (since, not_before): (Timestamp, i64),
    accepts_stale: bool,
) -> Option<Rc<CacheEntry>> {
    let entry = Rc::new(key_value_tier::find_entry(env, key, key_text).await?);
    env.responses().store_entry(Rc::clone(&entry), env.clock());
    let new_enough = entry.metadata.fetched_at.as_unix_ms() >= not_before;
    (new_enough && is_usable(env, key, &entry, since, accepts_stale).await).then_some(entry)
}

/// Returns whether an entry is usable for a request that arrived at `since`: it is fresh, or was fetched after `since`, or is
/// within its `stale-while-revalidate` time and the request accepts that (`accepts_stale`).
pub(crate) async fn is_usable<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    entry: &CacheEntry,
    since: Timestamp,
    accepts_stale: bool,
) -> bool {
    let now = env.clock();
    let key_text = &entry.metadata.key_text;
    let changing_until = invalidation::find_changing_until(env, key, key_text, now.as_unix_ms()).await;
    match classify_freshness(&entry.metadata, changing_until, now) {
        Freshness::Fresh(_) => true,
        Freshness::StaleWhileRevalidate(_) => accepts_stale || entry.metadata.fetched_at > since,
        Freshness::StaleIfError => entry.metadata.fetched_at > since,
        Freshness::Expired => false,
    }
}

/// Stores the entry that the store answered with in both tiers, if the leaderboard's configuration allows it. If a client waits,
/// the key-value tier stores the entry after the response.
///
/// # Errors
/// The problem that corresponds to the store's answer.
pub(crate) async fn store_answer<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    key_text: &str,
    (lease, urgency): (Option<Lease>, Urgency),
    answer: Result<CacheEntry, Problem>,
) -> Result<Fetched, CachedRefusal> {
    let entry = match answer {
        Ok(entry) => Rc::new(entry),
        Err(problem) => {
            release_lease(env, lease).await;
            return Err(record_refusal(env, key, key_text, problem));
        }
    };
    let memory_tier = env.responses();
    let uncached = entry.metadata.lifetime_ms == 0;
    let scope = leaderboard_scope(key_text);
    if uncached {
        let fetched_at = entry.metadata.fetched_at.as_unix_ms();
        memory_tier.uncached.insert(scope, (), fetched_at);
        release_lease(env, lease).await;
        return Ok(Fetched::NotCacheable(entry));
    }
    memory_tier.uncached.remove(scope);
    // An outage may begin right after this response. A warm entry must be in the key-value tier by then, so the first one is put
    // there before the response.
    let is_first_warm = memory_tier.find_entry(key_text).is_none() && is_warm_key(env, key, key_text);
    memory_tier.store_entry(Rc::clone(&entry), env.clock());
    let (own_env, own_key, own_entry) = (env.clone(), Rc::clone(key), Rc::clone(&entry));
    let store_entry = async move {
        key_value_tier::store_entry(&own_env, &own_key, &own_entry).await;
        release_lease(&own_env, lease).await;
    };
    if urgency == Urgency::Background || is_first_warm {
        store_entry.await;
    } else {
        env.later(store_entry);
    }
    Ok(Fetched::Cached(entry))
}

/// Returns whether the leaderboard's configuration lists this key as warm: its entry is made before a reader asks for it.
fn is_warm_key<E: ResponseEnvironment>(env: &E, key: &CacheKey, key_text: &str) -> bool {
    let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
    let Some(board) = env.leaderboard_memory().find(tenant, leaderboard) else {
        return false;
    };
    let mut warm = board.value.cache.warm.iter();
    warm.any(|read| CacheKey::for_warm_read(tenant, leaderboard, *read, key.version).to_text() == key_text)
}

/// Converts a problem to a refusal. If the store did not answer, opens the circuit breaker. If the store refused the read (404,
/// for example), deletes the cached entry from both tiers.
fn record_refusal<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    key_text: &str,
    problem: Problem,
) -> CachedRefusal {
    if problem.is_outage {
        let cause = problem.cause.as_deref().unwrap_or_default();
        circuit_breaker::open(env, key.guess_shard(env), cause);
    } else if !matches!(problem.kind, ProblemType::Unavailable | ProblemType::Internal) {
        env.responses().delete_entry(key_text);
        let (own_env, key, key_text) = (env.clone(), Rc::clone(key), key_text.to_owned());
        env.later(async move {
            key_value_tier::delete_entry(&own_env, &key, &key_text).await;
        });
    }
    // Memory has the configuration that the store was asked with, unless the leaderboard does not exist.
    let board = env.leaderboard_memory().find(&key.tenant, &key.leaderboard);
    let public = board.is_none_or(|board| board.value.access.read == ReadAccess::Public);
    CachedRefusal { problem, public }
}
