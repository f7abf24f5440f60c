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
const FORM: u64 = 2;
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
    bodies: Rc<Bodies>,
    checked_at: Timestamp,
    /// Whether a refresh is under way.
    refreshing: Cell<bool>,
}

/// What an instance remembers of documents, by the name of the group they were read in.
#[derive(Debug, Default)]
pub(crate) struct Copies(RefCell<BTreeMap<Rc<str>, Rc<Copy>>>);

impl Copies {
    fn find(&self, group: &str) -> Option<Rc<Copy>> {
        self.0.borrow().get(group).cloned()
    }

    fn remember(&self, group: &str, copy: Rc<Copy>) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_COPIES {
            known.pop_first();
        }
        known.insert(group.into(), copy);
    }
}

/// The documents of a group, from the nearest copy that is good.
///
/// `group` names them in the caches, so the same group always has the same `names`.
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
    let age = |copy: &Copy| now.as_unix_ms() - copy.checked_at.as_unix_ms();
    let mut copy = env.memory().copies.find(group);
    if copy
        .as_ref()
        .is_none_or(|copy| age(copy) >= trust.refresh_after_ms)
        && let Some(nearby) = from_region(env, group).await
        && copy
            .as_ref()
            .is_none_or(|copy| copy.checked_at < nearby.checked_at)
    {
        let nearby = Rc::new(nearby);
        env.memory().copies.remember(group, Rc::clone(&nearby));
        copy = Some(nearby);
    }
    let Some(copy) = copy else {
        return ask(env, group, &names()).await;
    };
    if age(&copy) < trust.refresh_after_ms {
        return Ok(Rc::clone(&copy.bodies));
    }
    if age(&copy) < trust.ask_after_ms {
        if !copy.refreshing.replace(true) {
            let (env, group, copy) = (env.clone(), Rc::<str>::from(group), Rc::clone(&copy));
            env.clone().later(async move {
                // A refresh that fails is tried again by the next request.
                let _ = ask(&env, &group, &names()).await;
                copy.refreshing.set(false);
            });
        }
        return Ok(Rc::clone(&copy.bodies));
    }
    match ask(env, group, &names()).await {
        Err(StoreError::Unavailable(_)) if age(&copy) < trust.forgive_ms => Ok(Rc::clone(&copy.bodies)),
        answer => answer,
    }
}

/// Drops the copies of a group whose documents have changed.
pub(crate) async fn forget<E: Environment>(env: &E, group: &str) {
    env.memory().copies.0.borrow_mut().remove(group);
    if let Some(cache) = env.cache() {
        // It is out of date after a while in any case.
        let _ = cache.delete(&key(group)).await;
        let _ = cache.delete(&empty_key(group)).await;
    }
}

async fn ask<E: Environment>(env: &E, group: &str, names: &[DocumentName]) -> Result<Rc<Bodies>, StoreError> {
    // The clock before the question: a change after it must not count as seen.
    let checked_at = env.clock();
    let bodies = Rc::new(env.store().read_documents(names).await?);
    if let Some(cache) = env.cache() {
        // A cache that fails costs a question to the store, never an answer.
        let copy = pack(group, &bodies, checked_at);
        if bodies.iter().any(Option::is_some) {
            let _ = cache.put(&key(group), &copy).await;
        } else {
            let _ = cache.delete(&key(group)).await;
            let _ = cache.put(&empty_key(group), &copy).await;
        }
    }
    let copy = Copy {
        bodies: Rc::clone(&bodies),
        checked_at,
        refreshing: Cell::new(false),
    };
    env.memory().copies.remember(group, Rc::new(copy));
    Ok(bodies)
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
    Some(Copy {
        bodies: Rc::new(bodies),
        checked_at,
        refreshing: Cell::new(false),
    })
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
    fn groups_without_documents_share_a_bounded_number_of_places() {
        let places: std::collections::BTreeSet<_> =
            (0..10_000).map(|n| empty_key(&format!("tenant:{n}"))).collect();
        assert_eq!(places.len() as u64, EMPTY_PLACES);
    }
}
