//! An answer from the region, or from the store.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::usecase::{self, Deps};
use leaderboard_core::{ReadAccess, Timestamp};

use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, place_of};
use super::freshness::{Freshness, classify_freshness};
use super::lease::Lease;
use super::single_flight::CachedRefusal;
use super::{changes, make, region};
use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;

/// How long those that wait for another instance pause at first, in milliseconds; each pause is twice the one before.
const FIRST_PAUSE_MS: u64 = 4;
/// The longest such pause.
const MAX_PAUSE_MS: u64 = 16;
/// How long they wait in all, in milliseconds.
const MAX_WAIT_MS: i64 = 3_000;
/// An answer of any age is good enough, if it is fresh.
pub(crate) const ANY_AGE: i64 = i64::MIN;

/// Whether somebody waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A client does.
    Now,
    /// Nobody: when another instance is at it, that is good.
    Ahead,
}

/// What was fetched.
pub(crate) enum Fetched {
    /// FetchedBody now, and kept for everybody.
    Cached(Rc<CacheEntry>),
    /// FetchedBody by another instance of the region.
    FromRegion(Rc<CacheEntry>),
    /// FetchedBody now, of a leaderboard whose answers are not kept.
    NotCacheable(Rc<CacheEntry>),
    /// Another instance is at it.
    InProgress,
}

/// Fetches an answer, as an ordinary reader sees it: the region's, where it is good and was made at `not_before` (in milliseconds
/// since the epoch) or later; or a new one.
///
/// # Errors
/// MissReason there is none.
pub(crate) async fn fetch<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    name: &str,
    urgency: Urgency,
    not_before: i64,
) -> Result<Fetched, CachedRefusal> {
    let began = env.clock();
    let even_stale = urgency == Urgency::Now;
    if let Some(entry) = find_in_region(env, key, name, (began, not_before), even_stale).await {
        return Ok(Fetched::FromRegion(entry));
    }
    let shared = key.is_common() && is_kept(env, key, name).await?;
    let give_up_at = began.as_unix_ms() + MAX_WAIT_MS;
    let mut lease = None;
    while shared && env.clock().as_unix_ms() < give_up_at {
        lease = Lease::take(env, key, name).await;
        if lease.is_none() {
            if urgency == Urgency::Ahead {
                return Ok(Fetched::InProgress);
            }
            wait_for_another(env, key, name).await;
        }
        // Another instance may have finished meanwhile.
        if let Some(entry) = find_in_region(env, key, name, (began, not_before), false).await {
            if let Some(lease) = lease {
                lease.give_back(env).await;
            }
            return Ok(Fetched::FromRegion(entry));
        }
        if lease.is_some() {
            break;
        }
    }
    made(env, key, name, (lease, urgency)).await
}

/// Whether answers about the leaderboard are kept, by the nearest copy of its configuration. One that does not exist is found out
/// before anything is put into the region for it.
async fn is_kept<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    name: &str,
) -> Result<bool, CachedRefusal> {
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now: env.clock(),
    };
    match usecase::load_leaderboard(&deps, &key.tenant, &key.leaderboard).await {
        Ok(Some(board)) => Ok(board.value.cache.lifetime_ms > 0),
        Ok(None) => {
            let unknown = Problem::new(ProblemType::LeaderboardNotFound);
            Err(refused(env, key, name, unknown))
        }
        Err(error) => Err(refused(env, key, name, error.into())),
    }
}

/// Waits until the instance that has the lease gives it back, or has lost it.
async fn wait_for_another<E: ResponseEnvironment>(env: &E, key: &CacheKey, name: &str) {
    let give_up_at = env.clock().as_unix_ms() + MAX_WAIT_MS;
    let mut pause_ms = FIRST_PAUSE_MS;
    loop {
        env.pause(pause_ms).await;
        if env.clock().as_unix_ms() >= give_up_at || !Lease::is_taken(env, key, name).await {
            return;
        }
        pause_ms = (2 * pause_ms).min(MAX_PAUSE_MS);
    }
}

/// The region's answer, if it is good for a request that came in at `since`, and was made at `not_before` or later.
pub(crate) async fn find_in_region<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    name: &str,
    (since, not_before): (Timestamp, i64),
    even_stale: bool,
) -> Option<Rc<CacheEntry>> {
    let entry = Rc::new(region::find(env, key, name).await?);
    env.responses().remember(Rc::clone(&entry), env.clock());
    let new_enough = entry.metadata.made_at.as_unix_ms() >= not_before;
    (new_enough && is_good(env, key, &entry, since, even_stale).await).then_some(entry)
}

/// Whether an answer is good for a request that came in at `since`: made after that, or still fresh.
pub(crate) async fn is_good<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    entry: &CacheEntry,
    since: Timestamp,
    even_stale: bool,
) -> bool {
    let now = env.clock();
    let changed_until = changes::changed_until(env, key, &entry.metadata.name, now.as_unix_ms()).await;
    match classify_freshness(&entry.metadata, changed_until, now) {
        Freshness::Fresh(_) => true,
        Freshness::StaleWhileRevalidate(_) => even_stale || entry.metadata.made_at > since,
        Freshness::StaleIfError => entry.metadata.made_at > since,
        Freshness::Expired => false,
    }
}

/// Asks the store, and keeps the answer where it may be kept: after the response, if a client waits for one.
///
/// # Errors
/// MissReason there is none.
pub(crate) async fn made<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    name: &str,
    (lease, urgency): (Option<Lease>, Urgency),
) -> Result<Fetched, CachedRefusal> {
    let entry = match make::entry(env, key, name, &Caller::Reader).await {
        Ok(entry) => Rc::new(entry),
        Err(problem) => {
            if let Some(lease) = lease {
                lease.give_back(env).await;
            }
            return Err(refused(env, key, name, problem));
        }
    };
    let memory_tier = &env.responses();
    circuit_breaker::close(env);
    let uncached = entry.metadata.lifetime_ms == 0;
    memory_tier.set_uncached(place_of(name), entry.metadata.made_at, uncached);
    if uncached {
        if let Some(lease) = lease {
            lease.give_back(env).await;
        }
        return Ok(Fetched::NotCacheable(entry));
    }
    // An outage may begin before a response is out: what is to be there then is kept first.
    let is_first_warm = memory_tier.find(name).is_none() && is_warm(env, key, name);
    memory_tier.remember(Rc::clone(&entry), env.clock());
    let (own, key, kept) = (env.clone(), Rc::clone(key), Rc::clone(&entry));
    let keep = async move {
        region::keep(&own, &key, &kept).await;
        if let Some(lease) = lease {
            lease.give_back(&own).await;
        }
    };
    if urgency == Urgency::Ahead || is_first_warm {
        keep.await;
    } else {
        env.later(keep);
    }
    Ok(Fetched::Cached(entry))
}

/// Whether an answer is one of those that are made before anybody asks.
fn is_warm<E: ResponseEnvironment>(env: &E, key: &CacheKey, name: &str) -> bool {
    let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
    let Some(board) = env.boards().find(tenant, leaderboard) else {
        return false;
    };
    let mut warm = board.value.cache.warm.iter();
    warm.any(|entry| CacheKey::warm(tenant, leaderboard, *entry, key.version).name() == name)
}

/// Notes that the store did not answer, or that what there is of its answers is none any more.
fn refused<E: ResponseEnvironment>(
    env: &E,
    key: &Rc<CacheKey>,
    name: &str,
    problem: Problem,
) -> CachedRefusal {
    if problem.kind == ProblemType::Unavailable {
        let cause = problem.cause.as_deref().unwrap_or_default();
        circuit_breaker::open(env, cause);
    } else if problem.kind != ProblemType::Internal {
        env.responses().forget(name);
        let (own, key, name) = (env.clone(), Rc::clone(key), name.to_owned());
        env.later(async move {
            region::forget(&own, &key, &name).await;
        });
    }
    // The configuration that the store was request with, if there is one.
    let board = env.boards().find(&key.tenant, &key.leaderboard);
    let public = board.is_none_or(|board| board.value.access.read == ReadAccess::Public);
    CachedRefusal { problem, public }
}
