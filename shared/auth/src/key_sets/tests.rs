//! Which sets an instance keeps.

use super::*;

fn cached(at_ms: i64) -> CachedKeySet {
    CachedKeySet {
        keys: None,
        fetched_at: Timestamp::saturating_from_unix_ms(at_ms),
        tried_at: Timestamp::MIN,
        fault: None,
    }
}

fn name(owner: &str, n: usize) -> Rc<str> {
    format!("{owner} address {n}").into()
}

/// How many sets an owner has.
fn count(sets: &KeySetCache, owner: &str) -> usize {
    let known = sets.known.borrow();
    known.keys().filter(|name| owner_of(name) == owner).count()
}

#[test]
fn who_has_the_most_sets_makes_room() {
    let sets = KeySetCache::default();
    sets.remember(&name("acme", 0), cached(-1));
    for n in 0..2 * MAX_SETS {
        sets.remember(&name("zeta", n), cached(0));
    }
    assert_eq!(sets.known.borrow().len(), MAX_SETS);
    assert_eq!((count(&sets, "acme"), count(&sets, "zeta")), (1, MAX_SETS - 1));
    // Of its own, those that were not used for longest.
    assert!(sets.find(&name("zeta", 100)).is_none() && sets.find(&name("zeta", 199)).is_some());
}

#[test]
fn who_has_as_many_as_another_makes_room_for_one_more() {
    // Whichever comes first in the alphabet.
    for (victim, newcomer) in [("acme", "zeta"), ("zeta", "acme")] {
        let sets = KeySetCache::default();
        for n in 0..MAX_SETS / 2 {
            sets.remember(&name(victim, n), cached(0));
        }
        for n in 0..MAX_SETS {
            sets.remember(&name(newcomer, n), cached(0));
        }
        let counts = (count(&sets, victim), count(&sets, newcomer));
        assert_eq!(counts, (MAX_SETS / 2, MAX_SETS / 2), "{newcomer}");
    }
}

#[test]
fn where_all_have_the_same_the_set_goes_that_was_not_used_for_longest() {
    let sets = KeySetCache::default();
    let owner = |n: usize| format!("t{n:03}");
    for n in 0..MAX_SETS {
        // The time of a fetch says nothing of the use.
        let fetched_at = -i64::try_from(n).unwrap();
        sets.remember(&name(&owner(n), 0), cached(fetched_at));
    }
    for n in (0..MAX_SETS).filter(|n| *n != 42) {
        assert!(sets.find(&name(&owner(n), 0)).is_some());
    }
    sets.remember(&name("another", 0), cached(0));
    assert_eq!(sets.known.borrow().len(), MAX_SETS);
    assert_eq!((count(&sets, &owner(42)), count(&sets, "another")), (0, 1));
    // One more of an owner takes the place of its own.
    sets.remember(&name("another", 1), cached(0));
    assert!(sets.find(&name("another", 0)).is_none() && sets.find(&name(&owner(0), 0)).is_some());
}
