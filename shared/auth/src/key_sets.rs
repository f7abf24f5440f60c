//! The key sets that issuers publish.
//!
//! The instance and the region cache a set for its [`LIFETIME`]. A token with an unknown key or a wrong signature causes a fetch
//! at once, unless the last fetch was less than [`COOL_DOWN_MS`] ago. So callers cannot make this service send requests to an
//! issuer as often as they want. One request of one instance of a region fetches a set; the others wait for it.

mod fetch;

use leaderboard_api::issuer_record::KeySetProbe;
use std::cell::RefCell;
use std::rc::Rc;

use leaderboard_cache::freshness::{CLOCK_MARGIN_MS, Freshness, Lifetime};
use leaderboard_cache::single_flight::SingleFlight;
use leaderboard_core::{LruMap, TenantId, Timestamp};
use leaderboard_identity::token::KeySet;

use super::region_key_sets;
use super::region_key_sets::RegionFetch;
use crate::AuthEnvironment;
use leaderboard_api::issuer_record::{IssuerRecord, KeySource};
use leaderboard_api::{Problem, ProblemType};

/// How long a cached key set is used. It is fresh for ten minutes. For an hour in total, it is used while it is fetched again
/// after the response. For a day in total, it is used if the issuer does not answer. The limit of an hour protects after a night
/// without requests: without it, the first token would be verified with keys that the issuer may have withdrawn.
const LIFETIME: Lifetime = Lifetime {
    fresh_ms: 10 * 60 * 1000,
    stale_while_revalidate_ms: 50 * 60 * 1000,
    stale_if_error_ms: (24 * 60 - 10) * 60 * 1000,
};
/// The shortest time between the end of a fetch and the next fetch, in milliseconds.
const COOL_DOWN_MS: i64 = 30_000;
/// The same time while no set is cached, in milliseconds.
const FIRST_COOL_DOWN_MS: i64 = 2_000;
/// How long a request waits for another request that fetches the set, in milliseconds.
const MAX_WAIT_MS: i64 = 7_000;
/// How often an instance reads the region's cache while another instance may be fetching the set.
const MAX_REGION_LOOKS: u32 = 70;
/// The pause between two reads of the region's cache, in milliseconds.
const LOOK_IN_REGION_AGAIN_MS: u64 = 100;
/// The most sets that an instance caches.
const MAX_SETS: usize = 100;

/// The location of a key set, and the owner of the issuer's document. Each owner has its own cached set, so that a change of one
/// owner's issuers cannot drop the set of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeySetSource {
    owner: Option<TenantId>,
    location: KeySetLocation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum KeySetLocation {
    /// The address of the set.
    Address(String),
    /// The issuer whose discovery document contains the address of the set.
    Discovery(String),
}

impl KeySetSource {
    /// Returns the source of the keys of an issuer of `owner` (`None`: the operator). Returns `None` when the document contains
    /// the keys.
    pub(crate) fn new(owner: Option<&TenantId>, record: &IssuerRecord) -> Option<Self> {
        let location = match &record.source {
            KeySource::Address(url) => KeySetLocation::Address(url.clone()),
            KeySource::Discovery => KeySetLocation::Discovery(record.issuer.clone()),
            KeySource::Keys(_) => return None,
        };
        let owner = owner.cloned();
        Some(Self { owner, location })
    }

    /// Returns the key of the set in the caches. It starts with the owner and a space, which no tenant's id contains.
    fn cache_key(&self) -> Rc<str> {
        let owner = self.owner.as_ref().map_or(".", TenantId::as_str);
        match &self.location {
            KeySetLocation::Address(url) => format!("{owner} address {url}").into(),
            KeySetLocation::Discovery(issuer) => format!("{owner} discovery {issuer}").into(),
        }
    }
}

/// A cached set, and the time and the error of its last fetch.
#[derive(Debug, Clone)]
struct CachedKeySet {
    keys: Option<Rc<KeySet>>,
    fetched_at: Timestamp,
    /// When the last fetch ended, with or without success.
    tried_at: Timestamp,
    /// Why the last fetch failed, if this instance made it.
    fault: Option<Rc<str>>,
}

impl CachedKeySet {
    const fn cool_down_ms(&self) -> i64 {
        if self.keys.is_some() {
            COOL_DOWN_MS
        } else {
            FIRST_COOL_DOWN_MS
        }
    }

    /// Returns whether the last fetch ended long enough ago. Also returns true if it ended in the future, because a wrong clock
    /// dated it.
    fn may_fetch(&self, now: Timestamp) -> bool {
        let elapsed_ms = now.as_unix_ms().saturating_sub(self.tried_at.as_unix_ms());
        !(-CLOCK_MARGIN_MS..self.cool_down_ms()).contains(&elapsed_ms)
    }

    /// Returns what the keys may be used for.
    fn freshness(&self, now: Timestamp) -> Freshness {
        match &self.keys {
            Some(_) => LIFETIME.classify(self.fetched_at, now),
            None => Freshness::Expired,
        }
    }

    /// Returns the keys unless they have expired. Stale keys may be used if no newer keys can be fetched.
    fn usable_keys(&self, now: Timestamp) -> Option<Rc<KeySet>> {
        let keys = self.keys.clone()?;
        (self.freshness(now) != Freshness::Expired).then_some(keys)
    }
}

/// The sets that an instance has cached, and the requests that fetch sets.
#[derive(Debug, Default)]
pub struct KeySetCache {
    sets: RefCell<LruMap<Rc<str>, CachedKeySet, MAX_SETS>>,
    fetches: SingleFlight<()>,
}

impl KeySetCache {
    fn find(&self, name: &str) -> Option<CachedKeySet> {
        self.sets.borrow_mut().get(name).cloned()
    }

    fn insert(&self, name: &Rc<str>, cached: CachedKeySet) {
        self.sets.borrow_mut().insert(Rc::clone(name), cached);
    }

    fn remove(&self, name: &str) {
        self.sets.borrow_mut().remove(name);
    }
}

/// Returns the cached keys of a set if the set is fresh or within its `stale-while-revalidate` time; a stale set is fetched again
/// after the response. Returns `None` if the set is older or not cached: the caller then waits for a fetch.
pub(crate) async fn find_cached_keys<E: AuthEnvironment>(
    env: &E,
    source: &KeySetSource,
) -> Option<Rc<KeySet>> {
    let now = env.now();
    let cached = find_cached_set(env, &source.cache_key()).await?;
    match cached.freshness(now) {
        Freshness::Fresh(_) => {}
        Freshness::StaleWhileRevalidate(_) => {
            if cached.may_fetch(now) {
                let (env, source) = (env.clone(), source.clone());
                env.clone().later(async move {
                    refresh_keys(&env, &source).await;
                });
            }
        }
        Freshness::StaleIfError | Freshness::Expired => return None,
    }
    cached.keys
}

/// Returns 503 for a set that is not cached and cannot be fetched.
pub(crate) fn keys_unavailable(source: &KeySetSource) -> Problem {
    Problem::new(ProblemType::Unavailable)
        .with_detail("The keys of the token's issuer are out of reach.")
        .with_cause(format!("no keys from {}", source.cache_key()))
}

/// Removes a set from the caches of this instance and its region.
pub(crate) async fn drop_set<E: AuthEnvironment>(env: &E, source: &KeySetSource) {
    let name = source.cache_key();
    env.auth_state().key_sets.remove(&name);
    region_key_sets::delete_set(env, &name).await;
}

/// Fetches a set unless the last fetch was recent, and returns the result of the last fetch.
pub(crate) async fn probe_set<E: AuthEnvironment>(env: &E, source: &KeySetSource) -> KeySetProbe {
    let name = source.cache_key();
    refresh_keys(env, source).await;
    let Some(cached) = env.auth_state().key_sets.find(&name) else {
        return KeySetProbe::Failed("They are being fetched by another request.".to_owned());
    };
    match (cached.fault, cached.keys) {
        (Some(fault), _) => KeySetProbe::Failed(fault.to_string()),
        (None, Some(keys)) => KeySetProbe::Fetched(keys.len()),
        (None, None) => KeySetProbe::Failed(
            "An attempt a moment ago failed; there is another one in a moment.".to_owned(),
        ),
    }
}

/// Fetches a set and returns its keys. If the last fetch was recent, or the fetch fails, returns the cached keys unless they have
/// expired.
pub(crate) async fn refresh_keys<E: AuthEnvironment>(env: &E, source: &KeySetSource) -> Option<Rc<KeySet>> {
    let (name, cache) = (source.cache_key(), &env.auth_state().key_sets);
    let Some(_leader) = cache.fetches.become_leader(&name) else {
        cache.fetches.wait_for_leader(env, &name, MAX_WAIT_MS).await;
        return cache.find(&name)?.usable_keys(env.clock());
    };
    let began_at = env.clock();
    let cached = find_cached_set(env, &name).await.unwrap_or(CachedKeySet {
        keys: None,
        fetched_at: Timestamp::MIN,
        tried_at: Timestamp::MIN,
        fault: None,
    });
    if !cached.may_fetch(began_at) {
        return cached.usable_keys(began_at);
    }
    let fetched = match wait_for_region(env, &name, &cached, began_at).await {
        Some(fetched) => fetched,
        None => fetch_and_share(env, source, cached).await,
    };
    let keys = fetched.usable_keys(env.clock());
    cache.insert(&name, fetched);
    keys
}

/// Returns the result of another instance's fetch, if an instance of the region is fetching the set or has fetched it recently.
/// Waits for a fetch that is running.
async fn wait_for_region<E: AuthEnvironment>(
    env: &E,
    name: &str,
    cached: &CachedKeySet,
    now: Timestamp,
) -> Option<CachedKeySet> {
    let mut fetch = region_key_sets::read_fetch(env, name, now).await;
    if fetch == Some(RegionFetch::Running) {
        for _ in 0..MAX_REGION_LOOKS {
            env.pause(LOOK_IN_REGION_AGAIN_MS).await;
            fetch = region_key_sets::read_fetch(env, name, env.clock()).await;
            if fetch != Some(RegionFetch::Running) {
                break;
            }
        }
    }
    let tried_at = match fetch? {
        // The fetch takes longer than any fetch can: the instance that made it has probably ended.
        RegionFetch::Running => return None,
        RegionFetch::Ended(age_ms) if age_ms >= cached.cool_down_ms() => return None,
        RegionFetch::Ended(age_ms) => env.clock().saturating_add_ms(age_ms.saturating_neg()),
    };
    let regional = read_regional_set(env, name).await;
    let newest = regional.filter(|regional| regional.fetched_at > cached.fetched_at);
    Some(CachedKeySet {
        tried_at,
        ..newest.unwrap_or_else(|| cached.clone())
    })
}

/// Fetches a set and shares it with the region. If the fetch fails, the result has the keys of `before`.
async fn fetch_and_share<E: AuthEnvironment>(
    env: &E,
    source: &KeySetSource,
    before: CachedKeySet,
) -> CachedKeySet {
    let (name, fetched_at) = (source.cache_key(), env.clock());
    region_key_sets::write_fetch(env, &name, false, fetched_at).await;
    let fetched = fetch::fetch_set(env, source).await;
    if let Ok((json, _)) = &fetched {
        region_key_sets::write_set(env, &name, json, fetched_at).await;
    }
    // The cool-down starts at the end of the fetch, so that a slow issuer gets a pause as well.
    let tried_at = env.clock();
    region_key_sets::write_fetch(env, &name, true, tried_at).await;
    match fetched {
        Ok((_, keys)) => CachedKeySet {
            keys: Some(Rc::new(keys)),
            fetched_at,
            tried_at,
            fault: None,
        },
        Err(fault) => CachedKeySet {
            tried_at,
            fault: Some(fault.into()),
            ..before
        },
    }
}

/// Returns the instance's cached set. If that set is not fresh and the region has a newer one, returns the region's.
async fn find_cached_set<E: AuthEnvironment>(env: &E, name: &Rc<str>) -> Option<CachedKeySet> {
    let cached = env.auth_state().key_sets.find(name);
    let fresh = |cached: &CachedKeySet| matches!(cached.freshness(env.now()), Freshness::Fresh(_));
    if cached.as_ref().is_some_and(fresh) {
        return cached;
    }
    let regional = read_regional_set(env, name).await;
    let fetched_at = cached.as_ref().map_or(Timestamp::MIN, |cached| cached.fetched_at);
    let Some(newer) = regional.filter(|regional| regional.fetched_at > fetched_at) else {
        return cached;
    };
    env.auth_state().key_sets.insert(name, newer.clone());
    Some(newer)
}

async fn read_regional_set<E: AuthEnvironment>(env: &E, name: &str) -> Option<CachedKeySet> {
    let (keys, fetched_at) = region_key_sets::read_set(env, name).await?;
    Some(CachedKeySet {
        keys: Some(Rc::new(keys)),
        fetched_at,
        tried_at: fetched_at,
        fault: None,
    })
}
