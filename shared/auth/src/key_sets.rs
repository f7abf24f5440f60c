//! The key sets that issuers publish.
//!
//! A set is cached by the instance and by the region. A set older than [`FRESH_MS`] is fetched again after the response; a set
//! older than [`STALE_MS`] is fetched again before it is used. A token with an unknown key or a wrong signature causes a fetch at
//! once, but not within [`COOL_DOWN_MS`] of the last fetch, so that callers cannot cause a request to an issuer at will. One
//! request of one instance of a region fetches a set; the others wait for it. If the issuer is down, the set is used for
//! [`KEEP_MS`].

mod fetch;

use leaderboard_api::issuer_record::KeySetProbe;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use leaderboard_core::{TenantId, Timestamp};
use leaderboard_identity::token::KeySet;

use super::region_key_sets;
use super::region_key_sets::RegionFetch;
use crate::AuthEnvironment;
use leaderboard_api::issuer_record::{IssuerRecord, KeySource};
use leaderboard_api::{Problem, ProblemType};

/// How long a set is used without another fetch, in milliseconds.
const FRESH_MS: i64 = 10 * 60 * 1000;
/// The age from which a set is used only when a new one cannot be fetched, in milliseconds. Without this bound, a key that the
/// issuer has withdrawn would verify the first token after a night without requests.
const STALE_MS: i64 = 60 * 60 * 1000;
/// How long the last valid set is used when the issuer is down, in milliseconds.
const KEEP_MS: i64 = 24 * 60 * 60 * 1000;
/// The shortest time between the end of a fetch and the next fetch, in milliseconds.
const COOL_DOWN_MS: i64 = 30_000;
/// The same while no set is cached.
const FIRST_COOL_DOWN_MS: i64 = 2_000;
/// How often a request looks whether another request has fetched the set.
const MAX_LOOKS: u32 = 350;
/// The pause between two looks, in milliseconds.
const LOOK_AGAIN_MS: u64 = 20;
/// How often an instance looks in the region's cache whether another instance has fetched the set.
const MAX_REGION_LOOKS: u32 = 70;
/// The pause between two looks in the region's cache, in milliseconds.
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

/// Returns the owner in the cache key of a set.
fn owner_in_key(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

/// A cached set, and the last fetch of it.
#[derive(Debug, Clone)]
struct CachedKeySet {
    keys: Option<Rc<KeySet>>,
    fetched_at: Timestamp,
    /// The end of the last fetch, successful or not.
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

    const fn may_fetch(&self, now: Timestamp) -> bool {
        elapsed_ms(now, self.tried_at) >= self.cool_down_ms()
    }

    /// Returns the keys if they were fetched less than `age_ms` ago.
    fn younger_than(&self, age_ms: i64, now: Timestamp) -> Option<Rc<KeySet>> {
        let keys = self.keys.as_ref()?;
        (elapsed_ms(now, self.fetched_at) < age_ms).then(|| Rc::clone(keys))
    }
}

const fn elapsed_ms(now: Timestamp, then: Timestamp) -> i64 {
    now.as_unix_ms().saturating_sub(then.as_unix_ms())
}

/// The sets that an instance has cached, and those that it is fetching.
#[derive(Debug, Default)]
pub struct KeySetCache {
    sets: RefCell<BTreeMap<Rc<str>, KeySetSlot>>,
    /// How often sets were used or cached so far.
    uses: Cell<u64>,
    fetching: RefCell<BTreeSet<Rc<str>>>,
}

/// A cached set, with its last use.
#[derive(Debug)]
struct KeySetSlot {
    cached: CachedKeySet,
    /// The number of its last use, among the uses of all sets.
    last_use: u64,
}

impl KeySetCache {
    fn find(&self, name: &str) -> Option<CachedKeySet> {
        let mut sets = self.sets.borrow_mut();
        let found = sets.get_mut(name)?;
        found.last_use = self.next_use();
        Some(found.cached.clone())
    }

    fn insert(&self, name: &Rc<str>, cached: CachedKeySet) {
        let mut sets = self.sets.borrow_mut();
        if sets.len() >= MAX_SETS && !sets.contains_key(name) {
            evict_set(&mut sets, owner_in_key(name));
        }
        let last_use = self.next_use();
        sets.insert(Rc::clone(name), KeySetSlot { cached, last_use });
    }

    fn remove(&self, name: &str) {
        self.sets.borrow_mut().remove(name);
    }

    fn next_use(&self) -> u64 {
        let uses = self.uses.get().saturating_add(1);
        self.uses.set(uses);
        uses
    }
}

/// Makes room for one more set of the owner `newcomer`: removes the least recently used set of the owner who has the most sets,
/// the new one included. So an owner with many sets takes no room from owners with fewer.
fn evict_set(sets: &mut BTreeMap<Rc<str>, KeySetSlot>, newcomer: &str) {
    let mut counts = BTreeMap::from([(newcomer, 1_usize)]);
    for name in sets.keys() {
        let count = counts.entry(owner_in_key(name)).or_default();
        *count = count.saturating_add(1);
    }
    // Only owners with cached sets are compared: the newcomer may have none that could be removed.
    let most = sets
        .keys()
        .filter_map(|name| counts.get(owner_in_key(name)))
        .max();
    let least_used = sets
        .iter()
        .filter(|(name, _)| counts.get(owner_in_key(name)) == most)
        .min_by_key(|(_, slot)| slot.last_use)
        .map(|(name, _)| Rc::clone(name));
    if let Some(least_used) = least_used {
        sets.remove(&least_used);
    }
}

/// Marks a set as being fetched until the value is dropped, also when the request ends early.
struct Fetching<'a, E: AuthEnvironment>(&'a E, Rc<str>);

impl<E: AuthEnvironment> Drop for Fetching<'_, E> {
    fn drop(&mut self) {
        self.0.auth_state().key_sets.fetching.borrow_mut().remove(&self.1);
    }
}

/// Returns the keys of a set if they are cached and not stale. A set that is not fresh is fetched again after the response.
pub(crate) async fn find_cached_keys<E: AuthEnvironment>(
    env: &E,
    source: &KeySetSource,
) -> Option<Rc<KeySet>> {
    let now = env.now();
    let cached = find_cached_set(env, &source.cache_key()).await?;
    let keys = cached.younger_than(STALE_MS, now)?;
    if elapsed_ms(now, cached.fetched_at) >= FRESH_MS && cached.may_fetch(now) {
        let (env, source) = (env.clone(), source.clone());
        env.clone().later(async move {
            refresh_keys(&env, &source).await;
        });
    }
    Some(keys)
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

/// Fetches a set, unless the last fetch was a moment ago, and returns the result of the last fetch.
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

/// Fetches a set and returns its keys. Returns the cached keys when the last fetch was a moment ago, or when the fetch fails and
/// the keys are not older than [`KEEP_MS`].
pub(crate) async fn refresh_keys<E: AuthEnvironment>(env: &E, source: &KeySetSource) -> Option<Rc<KeySet>> {
    let (name, cache) = (source.cache_key(), &env.auth_state().key_sets);
    if cache.fetching.borrow().contains(&name) {
        for _ in 0..MAX_LOOKS {
            env.pause(LOOK_AGAIN_MS).await;
            if !cache.fetching.borrow().contains(&name) {
                break;
            }
        }
        return cache.find(&name)?.younger_than(KEEP_MS, env.clock());
    }
    cache.fetching.borrow_mut().insert(Rc::clone(&name));
    let _fetching = Fetching(env, Rc::clone(&name));
    let began_at = env.clock();
    let cached = find_cached_set(env, &name).await.unwrap_or(CachedKeySet {
        keys: None,
        fetched_at: Timestamp::MIN,
        tried_at: Timestamp::MIN,
        fault: None,
    });
    if !cached.may_fetch(began_at) {
        return cached.younger_than(KEEP_MS, began_at);
    }
    let fetched = match wait_for_region(env, &name, &cached, began_at).await {
        Some(fetched) => fetched,
        None => fetch_and_share(env, source, cached).await,
    };
    let keys = fetched.younger_than(KEEP_MS, env.clock());
    cache.insert(&name, fetched);
    keys
}

/// Returns the result of another instance's fetch, if an instance of the region is fetching the set or has done so a moment
/// ago. Waits for a fetch that is running.
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

/// Fetches a set and shares it with the region. When the fetch fails, the returned value keeps the keys of `before`.
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

/// Returns the instance's set; if it is not fresh, the region's set if that is newer.
async fn find_cached_set<E: AuthEnvironment>(env: &E, name: &Rc<str>) -> Option<CachedKeySet> {
    let cached = env.auth_state().key_sets.find(name);
    let fresh = |cached: &CachedKeySet| cached.younger_than(FRESH_MS, env.now()).is_some();
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

#[cfg(test)]
mod tests;
