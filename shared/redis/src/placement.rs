//! Where tenants live among several shards: the choice for a new tenant, the marker of a tenant, and what an instance remembers.
//! Decision 54 describes the whole.

use std::cell::RefCell;
use std::collections::HashMap;

use leaderboard_core::ports::{FIRST_SHARD, ShardNumber};

use crate::connection::ConnectionError;
use crate::fnv::{EMPTY_HASH, add_to_hash};
use crate::keys::{self, Key};

/// How many tenants an instance remembers that do not live where [`choose_shard`] would put them.
const MAX_REMEMBERED: usize = 1_024;

/// The error code of a script whose tenant does not live on this shard (`register.lua`). The number of the tenant's shard follows; 0
/// when this shard has no marker of the tenant.
const MISPLACED: &str = "MISPLACED";

/// What a script has to find on a shard, so that it may run for a tenant.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    /// The key of the tenant's marker.
    pub(crate) marker: Key,
    /// The number that the marker must have. A `?` behind it says that there may be no marker.
    pub(crate) expected: String,
}

impl Placement {
    /// Returns the placement of a tenant who lives on this shard.
    pub(crate) fn on(tenant: &str, number: ShardNumber) -> Self {
        Self {
            marker: keys::shard_marker(tenant),
            expected: number.to_string(),
        }
    }

    /// Returns the placement of a tenant who lives on this shard, or nowhere yet.
    pub(crate) fn on_or_nowhere(tenant: &str, number: ShardNumber) -> Self {
        Self {
            expected: format!("{number}?"),
            ..Self::on(tenant, number)
        }
    }
}

/// Returns where a tenant lives according to the error of a script: a shard, or 0 if the asked shard does not know. Returns `None` for
/// any other error.
pub(crate) fn read_misplaced(error: &ConnectionError) -> Option<ShardNumber> {
    match error {
        ConnectionError::Refused { code, message } if code == MISPLACED => {
            let digits = message.split(|other: char| !other.is_ascii_digit()).next();
            digits.and_then(|number| number.parse().ok())
        }
        _ => None,
    }
}

/// Returns the shard of a new tenant among `count` shards, by rendezvous hashing: the shard whose number has the highest weight with
/// this tenant. A further shard gets its share of new tenants, and changes the choice for no other tenant. The weight is the 64-bit
/// FNV-1a hash of the tenant and of one byte with the number, mixed by the finalizer of `SplitMix64`
/// (<https://prng.di.unimi.it/splitmix64.c>). Stored data does not depend on it: the markers say where a tenant lives.
pub(crate) fn choose_shard(tenant: &str, count: ShardNumber) -> ShardNumber {
    let of_tenant = add_to_hash(EMPTY_HASH, tenant.as_bytes());
    let weight = |number: &ShardNumber| mix(add_to_hash(of_tenant, &[*number]));
    (FIRST_SHARD..=count).max_by_key(weight).unwrap_or(FIRST_SHARD)
}

fn mix(hash: u64) -> u64 {
    let hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// What an instance remembers of tenants. It may be out of date: the marker on the shard decides.
#[derive(Debug, Clone, Default)]
pub(crate) struct RememberedPlaces(RefCell<HashMap<Box<str>, ShardNumber>>);

impl RememberedPlaces {
    /// Returns the shard on which a tenant probably lives.
    pub(crate) fn guess(&self, tenant: &str, count: ShardNumber) -> ShardNumber {
        let remembered = self.0.borrow().get(tenant).copied();
        remembered.unwrap_or_else(|| choose_shard(tenant, count))
    }

    /// Remembers where a tenant lives.
    pub(crate) fn remember(&self, tenant: &str, number: ShardNumber, count: ShardNumber) {
        let mut remembered = self.0.borrow_mut();
        if number == choose_shard(tenant, count) {
            remembered.remove(tenant);
            return;
        }
        // The map is only a saving of commands, so it may start again.
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(tenant.into(), number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANTS: u32 = 30_000;

    #[test]
    fn tenants_spread_evenly_over_the_shards() {
        let mut counts = [0; 4];
        for tenant in 0..TENANTS {
            counts[usize::from(choose_shard(&format!("tenant-{tenant}"), 4) - 1)] += 1;
        }
        for count in counts {
            assert!((7_000..8_000).contains(&count), "{counts:?}");
        }
    }

    #[test]
    fn a_further_shard_changes_the_choice_for_its_own_share_only() {
        let mut changed = 0;
        for tenant in 0..TENANTS {
            let tenant = format!("tenant-{tenant}");
            let (before, after) = (choose_shard(&tenant, 2), choose_shard(&tenant, 3));
            assert!(after == before || after == 3, "{tenant}");
            changed += u32::from(after != before);
        }
        assert!((9_500..10_500).contains(&changed), "{changed}");
    }

    #[test]
    fn a_choice_never_changes() {
        let chosen = ["acme", "default", "tenant-7", "z"].map(|tenant| choose_shard(tenant, 4));
        assert_eq!(chosen, [4, 2, 1, 4]);
    }

    #[test]
    fn the_error_of_a_misplaced_tenant_names_its_shard_in_the_text_of_each_client() {
        for (text, place) in [
            ("MISPLACED 2", Some(2)),
            ("\"MISPLACED\": 12", Some(12)),
            ("MISPLACED: 0", Some(0)),
            ("MISPLACED 3 script: edgeboard, on @user_function:1.", Some(3)),
            ("READONLY You can't write", None),
            ("MISPLACED", None),
        ] {
            assert_eq!(read_misplaced(&ConnectionError::from_text(text)), place, "{text}");
        }
    }

    #[test]
    fn an_instance_remembers_a_bounded_number_of_tenants() {
        let places = RememberedPlaces::default();
        let elsewhere = |tenant: &str| 3 - choose_shard(tenant, 2);
        for tenant in 0..3_000 {
            let tenant = format!("tenant-{tenant}");
            places.remember(&tenant, elsewhere(&tenant), 2);
            assert_eq!(places.guess(&tenant, 2), elsewhere(&tenant));
            assert!(places.0.borrow().len() <= MAX_REMEMBERED);
        }
        places.remember("tenant-2999", choose_shard("tenant-2999", 2), 2);
        assert_eq!(places.guess("tenant-2999", 2), choose_shard("tenant-2999", 2));
    }
}
