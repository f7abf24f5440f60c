//! DocumentCache of documents, and how long each is good for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::{Cache, DocumentName, Documents};
use leaderboard_core::{LruMap, StoreError, Timestamp, Versioned};

use super::generations;
use super::generations::Generation;
use crate::CacheEnvironment;
use crate::circuit_breaker;

/// How many copies an instance remembers.
const MAX_COPIES: usize = 1000;
/// The form of a copy in the region's cache.
const FORM: u64 = 4;
/// What the clocks of instances may differ by, in milliseconds.
pub const CLOCK_MARGIN_MS: i64 = 1_000;
/// How many groups without any document the region's cache keeps at most. They share places, so that names nobody knows do
/// not fill it.
const EMPTY_PLACES: u64 = 256;

/// How long a copy is good for, counted from when the store was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLifetime {
    /// From this age on, in milliseconds, a copy is refreshed after the response.
    pub soft_ttl_ms: i64,
    /// From this age on, in milliseconds, the store is asked before the copy is used.
    pub hard_ttl_ms: i64,
    /// Up to this age, in milliseconds, a copy is used when the store cannot be asked.
    pub stale_if_error_ms: i64,
    /// Whether a change that is made known by [`invalidate_documents`] ends every copy in the region, however young it is.
    pub checks_generation: bool,
}

/// The bodies of some documents, in the order they were asked for.
pub type Bodies = Vec<Option<Versioned<Vec<u8>>>>;

/// A copy, and when the store was asked for it.
#[derive(Debug)]
struct Copy {
    /// None at all: what the store has is not known, only that it changed before `checked_at`.
    bodies: Rc<Bodies>,
    checked_at: Timestamp,
    /// The generation that held in the region before the store was asked.
    generation: Generation,
    /// Whether a refresh is under way.
    refreshing: Cell<bool>,
}

/// Why the store was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// A request needs the documents, or will.
    Permission,
    /// They have just been changed.
    Change,
}

impl Copy {
    const fn new(bodies: Rc<Bodies>, checked_at: Timestamp, generation: Generation) -> Self {
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

    /// Whether it is not from further ahead than clocks differ: it would count as fresh until the clock is there.
    const fn is_believable(&self, now: Timestamp) -> bool {
        self.age_ms(now) >= -CLOCK_MARGIN_MS
    }

    fn is_known(&self) -> bool {
        !self.bodies.is_empty()
    }

    /// Whether it stays where `other` would take its place. The store may have been asked for `other` before the change that
    /// this one tells of; within one millisecond, what was asked after a change wins.
    fn outlives(&self, other: &Self, occasion: Occasion, now: Timestamp) -> bool {
        let later = match occasion {
            Occasion::Permission => self.checked_at >= other.checked_at,
            Occasion::Change => self.checked_at > other.checked_at,
        };
        later && self.is_believable(now)
    }
}

/// A refresh that is under way, until it is dropped: also when it is never finished.
struct Refresh(Rc<Copy>);

impl Refresh {
    /// Begins one, unless one is under way.
    fn begin(copy: &Rc<Copy>) -> Option<Self> {
        (!copy.refreshing.replace(true)).then(|| Self(Rc::clone(copy)))
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.0.refreshing.set(false);
    }
}

/// What an instance remembers of documents, by the name of the group they were read in.
#[derive(Debug, Default)]
pub struct DocumentCache(RefCell<LruMap<Rc<str>, Rc<Copy>, MAX_COPIES>>);

impl DocumentCache {
    fn find(&self, group: &str) -> Option<Rc<Copy>> {
        self.0.borrow_mut().get(group).cloned()
    }

    /// When the store was asked for these bodies; `None` where the instance remembers others by now.
    pub fn checked_at(&self, group: &str, bodies: &Rc<Bodies>) -> Option<Timestamp> {
        let copy = self.find(group)?;
        Rc::ptr_eq(&copy.bodies, bodies).then_some(copy.checked_at)
    }

    /// Remembers a copy unless a newer one is there. The one that is remembered then.
    fn remember(&self, group: &str, copy: Rc<Copy>, occasion: Occasion, now: Timestamp) -> Rc<Copy> {
        let mut known = self.0.borrow_mut();
        if let Some(there) = known
            .get(group)
            .filter(|there| there.outlives(&copy, occasion, now))
        {
            return Rc::clone(there);
        }
        known.insert(group.into(), Rc::clone(&copy));
        copy
    }
}

/// The documents of a group, from the nearest copy that is good.
///
/// `group` names them in the caches, so the same group always has the same `names`, at least one.
///
/// Requests that find the same copy too old each ask the store. Those of an instance are sixteen at most, and their questions
/// go out together: to wait for one another would cost more than it saves.
///
/// # Errors
/// [`StoreError`] when the store had to be asked and did not answer.
pub async fn documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: impl Fn() -> Vec<DocumentName> + 'static,
    trust: DocumentLifetime,
) -> Result<Rc<Bodies>, StoreError> {
    let now = env.now();
    let copies = &env.cache_state().documents;
    let generation = if trust.checks_generation {
        generations::current(env, group).await
    } else {
        None
    };
    // A request that has waited for long meets copies from after it came in.
    let believable = |copy: &Copy| {
        (copy.is_believable(now) || copy.is_believable(env.clock()))
            && generation.is_none_or(|generation| copy.generation == generation)
    };
    let generation = generation.unwrap_or_default();
    let mut copy = copies.find(group).filter(|copy| believable(copy));
    if copy
        .as_ref()
        .is_none_or(|copy| copy.age_ms(now) >= trust.soft_ttl_ms)
        && let Some(nearby) = from_region(env, group).await.filter(believable)
        && copy
            .as_ref()
            .is_none_or(|copy| copy.checked_at < nearby.checked_at)
    {
        copy = Some(copies.remember(group, Rc::new(nearby), Occasion::Permission, env.clock()));
    }
    let Some(copy) = copy.filter(|copy| copy.is_known()) else {
        return ask(env, group, &names(), Occasion::Permission, generation).await;
    };
    let age_ms = copy.age_ms(now);
    if age_ms < trust.soft_ttl_ms {
        return Ok(Rc::clone(&copy.bodies));
    }
    if age_ms < trust.hard_ttl_ms {
        if let Some(refresh) = Refresh::begin(&copy) {
            let (env, group) = (env.clone(), Rc::<str>::from(group));
            env.clone().later(async move {
                // A refresh that fails is tried again by the next request.
                if circuit_breaker::is_open(&env).await && !circuit_breaker::probe(&env).await {
                    return;
                }
                let _ = ask(&env, &group, &names(), Occasion::Permission, generation).await;
                drop(refresh);
            });
        }
        return Ok(Rc::clone(&copy.bodies));
    }
    if age_ms >= trust.stale_if_error_ms {
        return ask(env, group, &names(), Occasion::Permission, generation).await;
    }
    if circuit_breaker::is_open(env).await {
        circuit_breaker::probe_later(env);
        return Ok(Rc::clone(&copy.bodies));
    }
    ask_with_patience(env, group, names(), &copy).await
}

/// Asks the store; a copy that is too old is used where it fails, or takes too long. The question is then gone on with after the
/// response.
async fn ask_with_patience<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: Vec<DocumentName>,
    copy: &Copy,
) -> Result<Rc<Bodies>, StoreError> {
    let (own, group, generation) = (env.clone(), Rc::<str>::from(group), copy.generation);
    let mut asked =
        Box::pin(async move { ask(&own, &group, &names, Occasion::Permission, generation).await });
    match circuit_breaker::within(env, circuit_breaker::PATIENCE_MS, asked.as_mut()).await {
        Some(Err(StoreError::Unavailable(_))) => Ok(Rc::clone(&copy.bodies)),
        Some(answer) => answer,
        None => {
            circuit_breaker::open_as_late(env);
            env.later(async move {
                let _ = asked.await;
            });
            Ok(Rc::clone(&copy.bodies))
        }
    }
}

/// Replaces the copies of a group whose documents have changed by what the store has now; where it does not answer, by the
/// note that they are not known.
pub async fn renew<E: CacheEnvironment>(env: &E, group: &str, names: &[DocumentName]) {
    replace(env, group, names, 0).await;
}

/// As [`renew`], for documents that are read with [`DocumentLifetime::checks_generation`]: no instance of the region uses an older copy a moment
/// later. [`wait_until_shown`] waits for that moment.
pub async fn invalidate_documents<E: CacheEnvironment>(env: &E, group: &str, names: &[DocumentName]) {
    // First: what is read from now on, here or elsewhere, is what the store has after the change.
    let generation = generations::begin(env, group).await;
    replace(env, group, names, generation).await;
}

async fn replace<E: CacheEnvironment>(env: &E, group: &str, names: &[DocumentName], generation: Generation) {
    if ask(env, group, names, Occasion::Change, generation)
        .await
        .is_err()
    {
        let unknown = Copy::new(Rc::default(), env.clock(), generation);
        keep(env, group, unknown, Occasion::Change).await;
    }
}

async fn ask<E: CacheEnvironment>(
    env: &E,
    group: &str,
    names: &[DocumentName],
    occasion: Occasion,
    generation: Generation,
) -> Result<Rc<Bodies>, StoreError> {
    // The clock before the question: a change after it must not count as seen.
    let checked_at = env.clock();
    // Who has made a change knows better.
    if let (Occasion::Permission, Some(error)) =
        (occasion, env.cache_state().breaker.recent_failure(checked_at))
    {
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
    let copy = Copy::new(Rc::clone(&bodies), checked_at, generation);
    let newest = keep(env, group, copy, occasion).await;
    Ok(if newest.is_known() {
        Rc::clone(&newest.bodies)
    } else {
        bodies
    })
}

/// Keeps a copy here and in the region unless a newer one is there. The newest. The region's cache has no transactions: what
/// slips in between the look and the put is old, and out of date by its own time.
async fn keep<E: CacheEnvironment>(env: &E, group: &str, copy: Copy, occasion: Occasion) -> Rc<Copy> {
    let mut newest = Rc::new(copy);
    if let Some(cache) = env.cache() {
        let there = from_region(env, group).await;
        if let Some(there) = there.filter(|there| there.outlives(&newest, occasion, env.clock())) {
            newest = Rc::new(there);
        } else {
            put(cache, group, &newest).await;
        }
    }
    let copies = &env.cache_state().documents;
    copies.remember(group, newest, occasion, env.clock())
}

async fn put(cache: &impl Cache, group: &str, copy: &Copy) {
    let packed = pack(group, copy);
    // A cache that fails costs a question to the store, never an answer.
    if copy.is_known() && copy.bodies.iter().all(Option::is_none) {
        let _ = cache.delete(&key(group)).await;
        let _ = cache.put(&empty_key(group), &packed).await;
    } else {
        let _ = cache.put(&key(group), &packed).await;
    }
}

async fn from_region<E: CacheEnvironment>(env: &E, group: &str) -> Option<Copy> {
    let cache = env.cache()?;
    for key in [key(group), empty_key(group)] {
        let copy = cache
            .get(&key)
            .await
            .ok()?
            .and_then(|bytes| unpack(group, &bytes));
        if copy.is_some() {
            return copy;
        }
    }
    None
}

fn key(group: &str) -> String {
    format!("edge:{group}")
}

fn empty_key(group: &str) -> String {
    // FNV-1a: the same in every instance.
    let hash = group.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("edge:none:{}", hash % EMPTY_PLACES)
}

fn pack(group: &str, copy: &Copy) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(FORM);
    w.text(group);
    w.unsigned(copy.generation);
    w.signed(copy.checked_at.as_unix_ms());
    w.unsigned(copy.bodies.len() as u64);
    for body in copy.bodies.iter() {
        w.unsigned(body.as_ref().map_or(0, |body| body.version));
        if let Some(body) = body {
            w.bytes(&body.value);
        }
    }
    w.finish()
}

/// `None` for bytes of another group, another time or another program.
fn unpack(group: &str, bytes: &[u8]) -> Option<Copy> {
    let mut r = Reader::new(bytes);
    (r.unsigned().ok()? == FORM && r.text().ok()? == group).then_some(())?;
    let generation = r.unsigned().ok()?;
    let checked_at = Timestamp::from_unix_ms(r.signed().ok()?)?;
    let mut bodies = Bodies::new();
    for _ in 0..r.unsigned().ok()? {
        let version = r.unsigned().ok()?;
        bodies.push(match version {
            0 => None,
            version => Some(Versioned {
                version,
                value: r.bytes().ok()?.to_vec(),
            }),
        });
    }
    r.end().ok()?;
    Some(Copy::new(Rc::new(bodies), checked_at, generation))
}

#[cfg(test)]
mod tests;
