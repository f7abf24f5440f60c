//! Key sets that issuers publish: fetched seldom, kept when the issuer is down.
//!
//! A set is remembered by the instance and by the region's cache. After [`FRESH_MS`] it is fetched again after the
//! response; a token with an unknown key has it fetched at once, but not within [`COOL_DOWN_MS`] of the last time, so that
//! nobody can make this service ask an issuer at will. One request of an instance fetches, the others wait for it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use leaderboard_core::Timestamp;
use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::Cache;
use leaderboard_identity::token::{
    Discovery, KeySet, MAX_DISCOVERY_BYTES, MAX_KEY_SET_BYTES, Trust, discovery_url,
};

use super::index::digest;
use crate::environment::Environment;
use crate::fetch::Fetch;
use crate::problem::{Problem, ProblemType};

/// How long a set is used as it is, in milliseconds.
const FRESH_MS: i64 = 10 * 60 * 1000;
/// How long the last good set is kept when the issuer is down, in milliseconds.
const KEEP_MS: i64 = 24 * 60 * 60 * 1000;
/// The least time between two attempts to fetch a set, in milliseconds.
const COOL_DOWN_MS: i64 = 30_000;
/// The same while there is no set at all.
const FIRST_COOL_DOWN_MS: i64 = 2_000;
/// How often a request looks whether another one has fetched the set, and how long it waits in between, in milliseconds.
const MAX_LOOKS: u32 = 350;
const LOOK_AGAIN_MS: u64 = 20;
/// Sets that an instance remembers.
const MAX_SETS: usize = 100;
/// The form of a set in the region's cache.
const FORM: u64 = 1;

/// Where a set comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// From this address.
    Address(String),
    /// From where the discovery document of this issuer says.
    Discovery(String),
}

impl Source {
    fn name(&self) -> Rc<str> {
        match self {
            Self::Address(url) => format!("address {url}").into(),
            Self::Discovery(issuer) => format!("discovery {issuer}").into(),
        }
    }
}

/// What an instance knows of a set.
#[derive(Debug, Clone)]
struct Held {
    keys: Option<Rc<KeySet>>,
    fetched_at: Timestamp,
    tried_at: Timestamp,
}

impl Held {
    fn may_try(&self, now: Timestamp) -> bool {
        let cool_down = if self.keys.is_some() {
            COOL_DOWN_MS
        } else {
            FIRST_COOL_DOWN_MS
        };
        since(now, self.tried_at) >= cool_down
    }
}

fn since(now: Timestamp, then: Timestamp) -> i64 {
    now.as_unix_ms() - then.as_unix_ms()
}

/// The sets that an instance knows, and those that it is fetching.
#[derive(Debug, Default)]
pub(crate) struct KeySets {
    held: RefCell<BTreeMap<Rc<str>, Held>>,
    fetching: RefCell<BTreeSet<Rc<str>>>,
}

impl KeySets {
    fn find(&self, name: &str) -> Option<Held> {
        self.held.borrow().get(name).cloned()
    }

    fn remember(&self, name: &Rc<str>, held: Held) {
        let mut known = self.held.borrow_mut();
        if known.len() >= MAX_SETS && !known.contains_key(name) {
            known.pop_first();
        }
        known.insert(Rc::clone(name), held);
    }
}

/// Says that a set is being fetched until it is dropped, also when the request ends early.
struct Fetching<'a, E: Environment>(&'a E, Rc<str>);

impl<E: Environment> Drop for Fetching<'_, E> {
    fn drop(&mut self) {
        self.0.memory().key_sets.fetching.borrow_mut().remove(&self.1);
    }
}

/// The keys of a set.
///
/// # Errors
/// 503 when there are none and they cannot be fetched.
pub(super) async fn keys<E: Environment>(env: &E, source: &Source) -> Result<Rc<KeySet>, Problem> {
    let (name, now) = (source.name(), env.now());
    if let Some(held) = known(env, &name).await
        && let Some(keys) = &held.keys
        && since(now, held.fetched_at) < KEEP_MS
    {
        if since(now, held.fetched_at) >= FRESH_MS && held.may_try(now) {
            let (env, source) = (env.clone(), source.clone());
            env.clone().later(async move {
                renewed(&env, &source).await;
            });
        }
        return Ok(Rc::clone(keys));
    }
    renewed(env, source).await.ok_or_else(|| {
        Problem::new(ProblemType::Unavailable)
            .with_detail("The keys of the token's issuer are out of reach.")
            .with_cause(format!("no keys from {name}"))
    })
}

/// The keys of a set after another attempt to fetch it, or without one when the last is too recent.
pub(super) async fn renewed<E: Environment>(env: &E, source: &Source) -> Option<Rc<KeySet>> {
    let (name, memory) = (source.name(), &env.memory().key_sets);
    if memory.fetching.borrow().contains(&name) {
        for _ in 0..MAX_LOOKS {
            env.pause(LOOK_AGAIN_MS).await;
            if !memory.fetching.borrow().contains(&name) {
                break;
            }
        }
        return usable(memory.find(&name), env.clock());
    }
    memory.fetching.borrow_mut().insert(Rc::clone(&name));
    let _fetching = Fetching(env, Rc::clone(&name));
    let now = env.clock();
    let held = known(env, &name).await;
    if held.as_ref().is_some_and(|held| !held.may_try(now)) {
        return usable(held, now);
    }
    if held.as_ref().is_some_and(|held| held.keys.is_some()) && tried_nearby(env, &name, now).await {
        // Another instance has; what it got is in the region's cache.
        let nearby = from_region(env, &name).await.or(held)?;
        let nearby = Held {
            tried_at: now,
            ..nearby
        };
        memory.remember(&name, nearby.clone());
        return usable(Some(nearby), now);
    }
    note_attempt(env, &name, now).await;
    let before = held.unwrap_or(Held {
        keys: None,
        fetched_at: Timestamp::MIN,
        tried_at: now,
    });
    let after = match fetch(env, source).await {
        Some((json, keys)) => {
            // A cache that fails costs another fetch, never an answer.
            let _ = env.region().put(&set_key(&name), &pack(&json, now)).await;
            Held {
                keys: Some(Rc::new(keys)),
                fetched_at: now,
                tried_at: now,
            }
        }
        None => Held {
            tried_at: now,
            ..before
        },
    };
    memory.remember(&name, after.clone());
    usable(Some(after), now)
}

fn usable(held: Option<Held>, now: Timestamp) -> Option<Rc<KeySet>> {
    let held = held.filter(|held| since(now, held.fetched_at) < KEEP_MS)?;
    held.keys
}

async fn fetch<E: Environment>(env: &E, source: &Source) -> Option<(Vec<u8>, KeySet)> {
    let url = match source {
        Source::Address(url) => url.clone(),
        Source::Discovery(issuer) => {
            let url = discovery_url(issuer).ok()?;
            let document = env.fetch().get(&url, MAX_DISCOVERY_BYTES).await.ok()?;
            Discovery::parse(&document, issuer).ok()?.jwks_uri
        }
    };
    let json = env.fetch().get(&url, MAX_KEY_SET_BYTES).await.ok()?;
    let keys = KeySet::parse(&json, Trust::Published).ok()?;
    Some((json.to_vec(), keys))
}

/// What the instance knows of a set, else what the region knows.
async fn known<E: Environment>(env: &E, name: &Rc<str>) -> Option<Held> {
    if let Some(held) = env.memory().key_sets.find(name) {
        return Some(held);
    }
    let held = from_region(env, name).await?;
    env.memory().key_sets.remember(name, held.clone());
    Some(held)
}

async fn from_region<E: Environment>(env: &E, name: &str) -> Option<Held> {
    let bytes = env.region().get(&set_key(name)).await.ok()??;
    let mut r = Reader::new(&bytes);
    (r.unsigned().ok()? == FORM).then_some(())?;
    let fetched_at = Timestamp::from_unix_ms(r.signed().ok()?)?;
    let keys = KeySet::parse(r.bytes().ok()?, Trust::Published).ok()?;
    r.end().ok()?;
    Some(Held {
        keys: Some(Rc::new(keys)),
        fetched_at,
        tried_at: fetched_at,
    })
}

fn pack(json: &[u8], fetched_at: Timestamp) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(FORM);
    w.signed(fetched_at.as_unix_ms());
    w.bytes(json);
    w.finish()
}

/// Whether any instance of the region has tried within the cool-down.
async fn tried_nearby<E: Environment>(env: &E, name: &str, now: Timestamp) -> bool {
    let Ok(Some(bytes)) = env.region().get(&attempt_key(name)).await else {
        return false;
    };
    let Ok(bytes) = <[u8; 8]>::try_from(bytes.as_slice()) else {
        return false;
    };
    (0..COOL_DOWN_MS).contains(&(now.as_unix_ms() - i64::from_be_bytes(bytes)))
}

async fn note_attempt<E: Environment>(env: &E, name: &str, now: Timestamp) {
    let at = now.as_unix_ms().to_be_bytes();
    let _ = env.region().put(&attempt_key(name), &at).await;
}

fn set_key(name: &str) -> String {
    format!("edge:jwks:{}", digest(name))
}

fn attempt_key(name: &str) -> String {
    format!("edge:jwks-tried:{}", digest(name))
}
