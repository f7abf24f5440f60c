//! Tests of which sets an instance keeps.

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

/// Returns how many sets an owner has.
fn count(sets: &KeySetCache, owner: &str) -> usize {
    let slots = sets.sets.borrow();
    slots.keys().filter(|name| owner_in_key(name) == owner).count()
}

#[test]
fn the_owner_with_the_most_sets_makes_room() {
    let sets = KeySetCache::default();
    sets.insert(&name("acme", 0), cached(-1));
    for n in 0..2 * MAX_SETS {
        sets.insert(&name("zeta", n), cached(0));
    }
    assert_eq!(sets.sets.borrow().len(), MAX_SETS);
    assert_eq!((count(&sets, "acme"), count(&sets, "zeta")), (1, MAX_SETS - 1));
    // Its least recently used sets were removed.
    assert!(sets.find(&name("zeta", 100)).is_none() && sets.find(&name("zeta", 199)).is_some());
}

#[test]
fn an_owner_with_as_many_sets_as_another_makes_room_for_its_own() {
    // The order of the owners' names makes no difference.
    for (victim, newcomer) in [("acme", "zeta"), ("zeta", "acme")] {
        let sets = KeySetCache::default();
        for n in 0..MAX_SETS / 2 {
            sets.insert(&name(victim, n), cached(0));
        }
        for n in 0..MAX_SETS {
            sets.insert(&name(newcomer, n), cached(0));
        }
        let counts = (count(&sets, victim), count(&sets, newcomer));
        assert_eq!(counts, (MAX_SETS / 2, MAX_SETS / 2), "{newcomer}");
    }
}

#[test]
fn among_owners_with_equal_counts_the_least_recently_used_set_is_removed() {
    let sets = KeySetCache::default();
    let owner = |n: usize| format!("t{n:03}");
    for n in 0..MAX_SETS {
        // The time of the fetch must not decide.
        let fetched_at = -i64::try_from(n).unwrap();
        sets.insert(&name(&owner(n), 0), cached(fetched_at));
    }
    for n in (0..MAX_SETS).filter(|n| *n != 42) {
        assert!(sets.find(&name(&owner(n), 0)).is_some());
    }
    sets.insert(&name("another", 0), cached(0));
    assert_eq!(sets.sets.borrow().len(), MAX_SETS);
    assert_eq!((count(&sets, &owner(42)), count(&sets, "another")), (0, 1));
    // Another set of an owner replaces its own.
    sets.insert(&name("another", 1), cached(0));
    assert!(sets.find(&name("another", 0)).is_none() && sets.find(&name(&owner(0), 0)).is_some());
}
