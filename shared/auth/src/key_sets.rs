//! Key sets that issuers publish: fetched seldom, kept when the issuer is down.
//!
//! A set is remembered by the instance and by the region's cache. After [`FRESH_MS`] it is fetched again after the
//! response, after [`STALE_MS`] before it is used. A token whose key is not known, or whose signature is not the key's, has
//! it fetched at once, but not within [`COOL_DOWN_MS`] of the last time, so that nobody can make this service ask an
//! issuer at will. One request of an instance fetches, and one instance of a region; the others wait for it.

use leaderboard_api::issuer_record::KeySetProbe;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use leaderboard_core::{TenantId, Timestamp};
use leaderboard_identity::token::{
    Discovery, Hosts, KeyOrigin, KeySet, MAX_DISCOVERY_BYTES, MAX_KEY_SET_BYTES, discovery_url,
};

use super::region_key_sets;
use super::region_key_sets::Attempt;
use crate::AuthEnvironment;
use leaderboard_api::issuer_record::{IssuerRecord, KeySource};
use leaderboard_api::{Problem, ProblemType};
use leaderboard_environment::{Fetch, FetchError};

/// How long a set is used as it is, in milliseconds.
const FRESH_MS: i64 = 10 * 60 * 1000;
/// From which age on a set is used only when a new one cannot be fetched, in milliseconds: a key that the issuer has
/// withdrawn must not come back with the first token after a quiet night.
const STALE_MS: i64 = 60 * 60 * 1000;
/// How long the last good set is kept when the issuer is down, in milliseconds.
const KEEP_MS: i64 = 24 * 60 * 60 * 1000;
/// The least time between the end of an attempt to fetch a set and the next, in milliseconds.
const COOL_DOWN_MS: i64 = 30_000;
/// The same while there is no set at all.
const FIRST_COOL_DOWN_MS: i64 = 2_000;
/// How often a request looks whether another one has fetched the set, and how long it waits in between, in milliseconds.
const MAX_LOOKS: u32 = 350;
const LOOK_AGAIN_MS: u64 = 20;
/// The same, for another instance: each look asks the region's cache.
const MAX_LOOKS_NEARBY: u32 = 70;
const LOOK_NEARBY_AGAIN_MS: u64 = 100;
/// Sets that an instance remembers.
const MAX_SETS: usize = 100;

/// Where a set comes from, and whose it is. Owners share no set: what one of them does to its issuers drops no set of another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeySetSource {
    owner: Option<TenantId>,
    place: KeySetLocation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum KeySetLocation {
    /// At this address.
    Address(String),
    /// Where the discovery document of this issuer says.
    Discovery(String),
}

impl KeySetSource {
    /// Where the keys of an issuer of `owner` (`None`: of the operator's) are; `None` for keys in its document.
    pub(crate) fn of(owner: Option<&TenantId>, record: &IssuerRecord) -> Option<Self> {
        let place = match &record.source {
            KeySource::Address(url) => KeySetLocation::Address(url.clone()),
            KeySource::Discovery => KeySetLocation::Discovery(record.issuer.clone()),
            KeySource::Keys(_) => return None,
        };
        let owner = owner.cloned();
        Some(Self { owner, place })
    }

    /// The owner comes first, and ends with a space, which no tenant's id has.
    fn name(&self) -> Rc<str> {
        let owner = self.owner.as_ref().map_or(".", TenantId::as_str);
        match &self.place {
            KeySetLocation::Address(url) => format!("{owner} address {url}").into(),
            KeySetLocation::Discovery(issuer) => format!("{owner} discovery {issuer}").into(),
        }
    }
}

/// Whose a set is, by its name.
fn owner_of(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

/// What an instance knows of a set.
#[derive(Debug, Clone)]
struct CachedKeySet {
    keys: Option<Rc<KeySet>>,
    fetched_at: Timestamp,
    /// When the last attempt ended.
    tried_at: Timestamp,
    /// Why it failed, if it did, and this instance made it.
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

    const fn may_try(&self, now: Timestamp) -> bool {
        since(now, self.tried_at) >= self.cool_down_ms()
    }

    /// Its keys up to an age.
    fn younger_than(&self, age_ms: i64, now: Timestamp) -> Option<Rc<KeySet>> {
        let keys = self.keys.as_ref()?;
        (since(now, self.fetched_at) < age_ms).then(|| Rc::clone(keys))
    }
}

const fn since(now: Timestamp, then: Timestamp) -> i64 {
    now.as_unix_ms().saturating_sub(then.as_unix_ms())
}

/// The sets that an instance knows, and those that it is fetching.
#[derive(Debug, Default)]
pub struct KeySetCache {
    known: RefCell<BTreeMap<Rc<str>, Known>>,
    /// How often a set was used or remembered.
    uses: Cell<u64>,
    fetching: RefCell<BTreeSet<Rc<str>>>,
}

/// A set that an instance remembers.
#[derive(Debug)]
struct Known {
    cached: CachedKeySet,
    /// How often any set had been used when this one was used last.
    used: u64,
}

impl KeySetCache {
    fn find(&self, name: &str) -> Option<CachedKeySet> {
        let mut known = self.known.borrow_mut();
        let found = known.get_mut(name)?;
        found.used = self.next_use();
        Some(found.cached.clone())
    }

    fn remember(&self, name: &Rc<str>, cached: CachedKeySet) {
        let mut known = self.known.borrow_mut();
        if known.len() >= MAX_SETS && !known.contains_key(name) {
            evict(&mut known, owner_of(name));
        }
        let used = self.next_use();
        known.insert(Rc::clone(name), Known { cached, used });
    }

    fn forget(&self, name: &str) {
        self.known.borrow_mut().remove(name);
    }

    fn next_use(&self) -> u64 {
        let uses = self.uses.get().saturating_add(1);
        self.uses.set(uses);
        uses
    }
}

/// Makes room for one more set of `newcomer`: of the owners who have the most sets then, the set goes that was not used for longest.
/// An owner who brings many takes room from nobody who has fewer.
fn evict(known: &mut BTreeMap<Rc<str>, Known>, newcomer: &str) {
    let mut counts = BTreeMap::from([(newcomer, 1_usize)]);
    for name in known.keys() {
        let count = counts.entry(owner_of(name)).or_default();
        *count = count.saturating_add(1);
    }
    // A newcomer who has the most has nothing that could go when this is its first set.
    let most = known.keys().filter_map(|name| counts.get(owner_of(name))).max();
    let unused = known
        .iter()
        .filter(|(name, _)| counts.get(owner_of(name)) == most)
        .min_by_key(|(_, known)| known.used)
        .map(|(name, _)| Rc::clone(name));
    if let Some(unused) = unused {
        known.remove(&unused);
    }
}

/// Says that a set is being fetched until it is dropped, also when the request ends early.
struct Fetching<'a, E: AuthEnvironment>(&'a E, Rc<str>);

impl<E: AuthEnvironment> Drop for Fetching<'_, E> {
    fn drop(&mut self) {
        self.0.auth_state().key_sets.fetching.borrow_mut().remove(&self.1);
    }
}

/// The keys of a set, if nobody has to be asked for them first. A set that is no longer fresh is fetched after the response.
pub(crate) async fn at_hand<E: AuthEnvironment>(env: &E, source: &KeySetSource) -> Option<Rc<KeySet>> {
    let now = env.now();
    let cached = known(env, &source.name()).await?;
    let keys = cached.younger_than(STALE_MS, now)?;
    if since(now, cached.fetched_at) >= FRESH_MS && cached.may_try(now) {
        let (env, source) = (env.clone(), source.clone());
        env.clone().later(async move {
            renewed(&env, &source).await;
        });
    }
    Some(keys)
}

/// 503: there are no keys, and they cannot be fetched.
pub(crate) fn out_of_reach(source: &KeySetSource) -> Problem {
    Problem::new(ProblemType::Unavailable)
        .with_detail("The keys of the token's issuer are out of reach.")
        .with_cause(format!("no keys from {}", source.name()))
}

/// Drops what is known of a set in this instance and in its region.
pub(crate) async fn forget<E: AuthEnvironment>(env: &E, source: &KeySetSource) {
    let name = source.name();
    env.auth_state().key_sets.forget(&name);
    region_key_sets::forget(env, &name).await;
}

/// Fetches a set, unless that was tried a moment ago, and says what came of it.
pub(crate) async fn probe<E: AuthEnvironment>(env: &E, source: &KeySetSource) -> KeySetProbe {
    let name = source.name();
    renewed(env, source).await;
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

/// The keys of a set after another attempt to fetch it, or without one when the last is too recent.
pub(crate) async fn renewed<E: AuthEnvironment>(env: &E, source: &KeySetSource) -> Option<Rc<KeySet>> {
    let (name, memory) = (source.name(), &env.auth_state().key_sets);
    if memory.fetching.borrow().contains(&name) {
        for _ in 0..MAX_LOOKS {
            env.pause(LOOK_AGAIN_MS).await;
            if !memory.fetching.borrow().contains(&name) {
                break;
            }
        }
        return memory.find(&name)?.younger_than(KEEP_MS, env.clock());
    }
    memory.fetching.borrow_mut().insert(Rc::clone(&name));
    let _fetching = Fetching(env, Rc::clone(&name));
    let begun = env.clock();
    let cached = known(env, &name).await.unwrap_or(CachedKeySet {
        keys: None,
        fetched_at: Timestamp::MIN,
        tried_at: Timestamp::MIN,
        fault: None,
    });
    if !cached.may_try(begun) {
        return cached.younger_than(KEEP_MS, begun);
    }
    let after = match tried_nearby(env, &name, &cached, begun).await {
        Some(nearby) => nearby,
        None => fetched(env, source, cached).await,
    };
    let keys = after.younger_than(KEEP_MS, env.clock());
    memory.remember(&name, after);
    keys
}

/// What another instance of the region has got, if one is fetching or has tried lately.
async fn tried_nearby<E: AuthEnvironment>(
    env: &E,
    name: &str,
    cached: &CachedKeySet,
    now: Timestamp,
) -> Option<CachedKeySet> {
    let mut attempt = region_key_sets::attempt(env, name, now).await;
    if attempt == Some(Attempt::UnderWay) {
        for _ in 0..MAX_LOOKS_NEARBY {
            env.pause(LOOK_NEARBY_AGAIN_MS).await;
            attempt = region_key_sets::attempt(env, name, env.clock()).await;
            if attempt != Some(Attempt::UnderWay) {
                break;
            }
        }
    }
    let tried_at = match attempt? {
        // For as long as attempts take: whoever was fetching may be gone.
        Attempt::UnderWay => return None,
        Attempt::Ended(age_ms) if age_ms >= cached.cool_down_ms() => return None,
        Attempt::Ended(age_ms) => env.clock().saturating_add_ms(age_ms.saturating_neg()),
    };
    let nearby = from_region(env, name).await;
    let newest = nearby.filter(|nearby| nearby.fetched_at > cached.fetched_at);
    Some(CachedKeySet {
        tried_at,
        ..newest.unwrap_or_else(|| cached.clone())
    })
}

async fn fetched<E: AuthEnvironment>(env: &E, source: &KeySetSource, before: CachedKeySet) -> CachedKeySet {
    let (name, fetched_at) = (source.name(), env.clock());
    region_key_sets::note_attempt(env, &name, false, fetched_at).await;
    let fetched = fetch(env, source).await;
    if let Ok((json, _)) = &fetched {
        region_key_sets::keep(env, &name, json, fetched_at).await;
    }
    // The end counts: an issuer that takes long to answer is not asked without a pause.
    let tried_at = env.clock();
    region_key_sets::note_attempt(env, &name, true, tried_at).await;
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

/// Fetches a set. What went wrong is said in words that tell nothing of the network that this service is in.
async fn fetch<E: AuthEnvironment>(env: &E, source: &KeySetSource) -> Result<(Vec<u8>, KeySet), String> {
    let url = match &source.place {
        KeySetLocation::Address(url) => url.clone(),
        KeySetLocation::Discovery(issuer) => {
            let url = discovery_url(issuer, Hosts::Any)
                .map_err(|_| "The issuer is no address that has a discovery document.".to_owned())?;
            let document = get(env, &url, MAX_DISCOVERY_BYTES).await?;
            let discovery = Discovery::parse(&document, issuer);
            discovery
                .map_err(|_| format!("{url} is no discovery document of this issuer."))?
                .jwks_uri
        }
    };
    let json = get(env, &url, MAX_KEY_SET_BYTES).await?;
    let keys = KeySet::parse(&json, KeyOrigin::Published);
    let keys = keys.map_err(|_| format!("{url} is no key set with a key that can be used."))?;
    Ok((json.to_vec(), keys))
}

async fn get<E: AuthEnvironment>(env: &E, url: &str, max_bytes: usize) -> Result<Bytes, String> {
    env.fetch()
        .get(url, max_bytes)
        .await
        .map_err(|error| match error {
            FetchError::NotGranted => {
                format!(
                    "The operator does not let this service ask {url}: its host is not one of issuer_hosts."
                )
            }
            FetchError::Unusable(what) => format!("{url} {what}."),
            FetchError::Unreachable(_) => format!("{url} cannot be reached."),
        })
}

/// What the instance knows of a set; where that is not fresh, what the region knows if it is newer.
async fn known<E: AuthEnvironment>(env: &E, name: &Rc<str>) -> Option<CachedKeySet> {
    let cached = env.auth_state().key_sets.find(name);
    let fresh = |cached: &CachedKeySet| cached.younger_than(FRESH_MS, env.now()).is_some();
    if cached.as_ref().is_some_and(fresh) {
        return cached;
    }
    let nearby = from_region(env, name).await;
    let fetched_at = cached.as_ref().map_or(Timestamp::MIN, |cached| cached.fetched_at);
    let Some(newer) = nearby.filter(|nearby| nearby.fetched_at > fetched_at) else {
        return cached;
    };
    env.auth_state().key_sets.remember(name, newer.clone());
    Some(newer)
}

async fn from_region<E: AuthEnvironment>(env: &E, name: &str) -> Option<CachedKeySet> {
    let (keys, fetched_at) = region_key_sets::set(env, name).await?;
    Some(CachedKeySet {
        keys: Some(Rc::new(keys)),
        fetched_at,
        tried_at: fetched_at,
        fault: None,
    })
}

#[cfg(test)]
mod tests;
