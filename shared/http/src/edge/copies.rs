//! Copies of documents, and how long each is good for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::{Cache, DocumentName, Documents};
use leaderboard_core::{StoreError, Timestamp, Versioned};

use crate::environment::Environment;

/// How many copies an instance remembers.
const MAX_COPIES: usize = 1000;
/// The form of a copy in the region's cache.
const FORM: u64 = 3;
/// What the clocks of instances may differ by, in milliseconds.
pub(crate) const CLOCK_MARGIN_MS: i64 = 1_000;
/// How many groups without any document the region's cache keeps at most. They share places, so that names nobody knows do
/// not fill it.
const EMPTY_PLACES: u64 = 256;

/// How long a copy is good for, counted from when the store was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trust {
    /// From this age on, in milliseconds, a copy is refreshed after the response.
    pub(crate) refresh_after_ms: i64,
    /// From this age on, in milliseconds, the store is asked before the copy is used.
    pub(crate) ask_after_ms: i64,
    /// Up to this age, in milliseconds, a copy is used when the store cannot be asked.
    pub(crate) forgive_ms: i64,
}

/// The bodies of some documents, in the order they were asked for.
pub(crate) type Bodies = Vec<Option<Versioned<Vec<u8>>>>;

/// A copy, and when the store was asked for it.
#[derive(Debug)]
struct Copy {
    /// None at all: what the store has is not known, only that it changed before `checked_at`.
    bodies: Rc<Bodies>,
    checked_at: Timestamp,
    /// Whether a refresh is under way.
    refreshing: Cell<bool>,
}

/// Why the store was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// A request needs the documents, or will.
    Need,
    /// They have just been changed.
    Change,
}

impl Copy {
    const fn new(bodies: Rc<Bodies>, checked_at: Timestamp) -> Self {
        Self {
            bodies,
            checked_at,
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
            Occasion::Need => self.checked_at >= other.checked_at,
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
pub(crate) struct Copies(RefCell<BTreeMap<Rc<str>, Rc<Copy>>>);

impl Copies {
    fn find(&self, group: &str) -> Option<Rc<Copy>> {
        self.0.borrow().get(group).cloned()
    }

    /// When the store was asked for these bodies; `None` where the instance remembers others by now.
    pub(crate) fn checked_at(&self, group: &str, bodies: &Rc<Bodies>) -> Option<Timestamp> {
        let copy = self.find(group)?;
        Rc::ptr_eq(&copy.bodies, bodies).then_some(copy.checked_at)
    }

    /// Remembers a copy unless a newer one is there. The one that is remembered then.
    fn remember(&self, group: &str, copy: Rc<Copy>, occasion: Occasion, now: Timestamp) -> Rc<Copy> {
        let mut known = self.0.borrow_mut();
        let there = known.get(group);
        if let Some(there) = there.filter(|there| there.outlives(&copy, occasion, now)) {
            return Rc::clone(there);
        }
        if there.is_none() && known.len() >= MAX_COPIES {
            // What is in use is refreshed, so the oldest is the one that nobody needs.
            let oldest = known.iter().min_by_key(|(_, copy)| copy.checked_at);
            if let Some(oldest) = oldest.map(|(group, _)| Rc::clone(group)) {
                known.remove(&oldest);
            }
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
pub(crate) async fn documents<E: Environment>(
    env: &E,
    group: &str,
    names: impl Fn() -> Vec<DocumentName> + 'static,
    trust: Trust,
) -> Result<Rc<Bodies>, StoreError> {
    let now = env.now();
    let copies = &env.memory().copies;
    // A request that has waited for long meets copies from after it came in.
    let believable = |copy: &Copy| copy.is_believable(now) || copy.is_believable(env.clock());
    let mut copy = copies.find(group).filter(|copy| believable(copy));
    if copy
        .as_ref()
        .is_none_or(|copy| copy.age_ms(now) >= trust.refresh_after_ms)
        && let Some(nearby) = from_region(env, group).await.filter(believable)
        && copy
            .as_ref()
            .is_none_or(|copy| copy.checked_at < nearby.checked_at)
    {
        copy = Some(copies.remember(group, Rc::new(nearby), Occasion::Need, env.clock()));
    }
    let Some(copy) = copy.filter(|copy| copy.is_known()) else {
        return ask(env, group, &names(), Occasion::Need).await;
    };
    let age_ms = copy.age_ms(now);
    if age_ms < trust.refresh_after_ms {
        return Ok(Rc::clone(&copy.bodies));
    }
    if age_ms < trust.ask_after_ms {
        if let Some(refresh) = Refresh::begin(&copy) {
            let (env, group) = (env.clone(), Rc::<str>::from(group));
            env.clone().later(async move {
                // A refresh that fails is tried again by the next request.
                let _ = ask(&env, &group, &names(), Occasion::Need).await;
                drop(refresh);
            });
        }
        return Ok(Rc::clone(&copy.bodies));
    }
    match ask(env, group, &names(), Occasion::Need).await {
        Err(StoreError::Unavailable(_)) if age_ms < trust.forgive_ms => Ok(Rc::clone(&copy.bodies)),
        answer => answer,
    }
}

/// Replaces the copies of a group whose documents have changed by what the store has now; where it does not answer, by the
/// note that they are not known.
pub(crate) async fn renew<E: Environment>(env: &E, group: &str, names: &[DocumentName]) {
    if ask(env, group, names, Occasion::Change).await.is_err() {
        let unknown = Copy::new(Rc::default(), env.clock());
        keep(env, group, unknown, Occasion::Change).await;
    }
}

async fn ask<E: Environment>(
    env: &E,
    group: &str,
    names: &[DocumentName],
    occasion: Occasion,
) -> Result<Rc<Bodies>, StoreError> {
    let outage = &env.memory().outage;
    // The clock before the question: a change after it must not count as seen.
    let checked_at = env.clock();
    // Who has made a change knows better.
    if let (Occasion::Need, Some(error)) = (occasion, outage.known(checked_at)) {
        return Err(error);
    }
    let bodies = match env.store().read_documents(names).await {
        Ok(bodies) => Rc::new(bodies),
        Err(error) => {
            if let StoreError::Unavailable(cause) = &error {
                outage.began(env.clock(), cause);
            }
            return Err(error);
        }
    };
    outage.is_over();
    let copy = Copy::new(Rc::clone(&bodies), checked_at);
    let newest = keep(env, group, copy, occasion).await;
    Ok(if newest.is_known() {
        Rc::clone(&newest.bodies)
    } else {
        bodies
    })
}

/// Keeps a copy here and in the region unless a newer one is there. The newest. The region's cache has no transactions: what
/// slips in between the look and the put is old, and out of date by its own time.
async fn keep<E: Environment>(env: &E, group: &str, copy: Copy, occasion: Occasion) -> Rc<Copy> {
    let mut newest = Rc::new(copy);
    if let Some(cache) = env.cache() {
        let there = from_region(env, group).await;
        if let Some(there) = there.filter(|there| there.outlives(&newest, occasion, env.clock())) {
            newest = Rc::new(there);
        } else {
            put(cache, group, &newest).await;
        }
    }
    let copies = &env.memory().copies;
    copies.remember(group, newest, occasion, env.clock())
}

async fn put(cache: &impl Cache, group: &str, copy: &Copy) {
    let packed = pack(group, &copy.bodies, copy.checked_at);
    // A cache that fails costs a question to the store, never an answer.
    if copy.is_known() && copy.bodies.iter().all(Option::is_none) {
        let _ = cache.delete(&key(group)).await;
        let _ = cache.put(&empty_key(group), &packed).await;
    } else {
        let _ = cache.put(&key(group), &packed).await;
    }
}

async fn from_region<E: Environment>(env: &E, group: &str) -> Option<Copy> {
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

fn pack(group: &str, bodies: &Bodies, checked_at: Timestamp) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(FORM);
    w.text(group);
    w.signed(checked_at.as_unix_ms());
    w.unsigned(bodies.len() as u64);
    for body in bodies {
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
    Some(Copy::new(Rc::new(bodies), checked_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed() -> Vec<u8> {
        let document = Versioned {
            version: 7,
            value: b"{}".to_vec(),
        };
        pack("tenant:a", &vec![None, Some(document)], Timestamp::MAX)
    }

    #[test]
    fn a_copy_comes_back_as_it_was() {
        let copy = unpack("tenant:a", &packed()).unwrap();
        assert_eq!(copy.checked_at, Timestamp::MAX);
        let versions: Vec<_> = copy
            .bodies
            .iter()
            .map(|body| body.as_ref().map(|body| body.version))
            .collect();
        assert_eq!(versions, [None, Some(7)]);
    }

    #[test]
    fn what_is_of_another_group_or_damaged_is_no_copy() {
        assert!(unpack("tenant:b", &packed()).is_none());
        for cut in 0..packed().len() {
            assert!(unpack("tenant:a", &packed()[..cut]).is_none(), "{cut}");
        }
        let mut older = packed();
        older[0] -= 1;
        assert!(unpack("tenant:a", &older).is_none());
    }

    #[test]
    fn an_older_copy_never_takes_the_place_of_a_newer_one() {
        let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
        let copy = |ms| Rc::new(Copy::new(Rc::default(), at(ms)));
        let copies = Copies::default();
        let remember = |ms, occasion, now| copies.remember("a", copy(ms), occasion, at(now)).checked_at;
        assert_eq!(remember(5_000, Occasion::Need, 5_000), at(5_000));
        assert_eq!(remember(4_999, Occasion::Need, 5_000), at(5_000));
        assert_eq!(remember(4_999, Occasion::Change, 5_000), at(5_000));
        let (before, changed) = (copies.find("a").unwrap(), copy(5_000));
        copies.remember("a", Rc::clone(&before), Occasion::Need, at(5_000));
        copies.remember("a", Rc::clone(&changed), Occasion::Change, at(5_000));
        copies.remember("a", before, Occasion::Need, at(5_000));
        assert!(Rc::ptr_eq(&copies.find("a").unwrap(), &changed));
        // One of a clock that runs far ahead does.
        assert_eq!(remember(10_000, Occasion::Need, 10_000), at(10_000));
        assert_eq!(remember(9_000, Occasion::Need, 9_000), at(10_000));
        assert_eq!(remember(8_999, Occasion::Need, 8_999), at(8_999));
    }

    #[test]
    fn the_copy_that_was_not_checked_for_longest_makes_room() {
        let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
        let copies = Copies::default();
        let remember = |group: &str, ms| {
            let copy = Rc::new(Copy::new(Rc::default(), at(ms)));
            copies.remember(group, copy, Occasion::Need, at(ms));
        };
        for n in 0..i64::try_from(MAX_COPIES).unwrap() {
            remember(&format!("{n:04}"), n);
        }
        remember("0000", 5_000);
        remember("0500", 5_000);
        assert_eq!(copies.0.borrow().len(), MAX_COPIES);
        remember("new", 5_000);
        assert_eq!(copies.0.borrow().len(), MAX_COPIES);
        let known = |group| copies.find(group).is_some();
        assert!(known("new") && known("0000") && known("0002") && !known("0001"));
    }

    #[test]
    fn a_refresh_that_is_never_finished_makes_way() {
        let copy = Rc::new(Copy::new(Rc::default(), Timestamp::MAX));
        let refresh = Refresh::begin(&copy);
        assert!(refresh.is_some() && Refresh::begin(&copy).is_none());
        drop(refresh);
        assert!(Refresh::begin(&copy).is_some());
    }

    #[test]
    fn groups_without_documents_share_a_bounded_number_of_places() {
        let places: std::collections::BTreeSet<_> =
            (0..10_000).map(|n| empty_key(&format!("tenant:{n}"))).collect();
        assert_eq!(places.len() as u64, EMPTY_PLACES);
    }
}
