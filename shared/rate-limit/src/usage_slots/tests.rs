//! Tests of the entries of a slot.

use super::*;

/// The current time of the tests, in microseconds.
const NOW_US: u64 = 20_000 * DAY_US + 1_000_000;

/// Creates the entry of a bucket that fills in `capacity_us`, of which `thousandths` are used.
fn create_bucket(owner: LimitOwner, thousandths: u64, capacity_us: u64) -> SlotEntry {
    let full_at_us = NOW_US + capacity_us / 1000 * thousandths;
    let level = UsageLevel::Bucket {
        full_at_us,
        capacity_us,
    };
    SlotEntry { owner, level }
}

fn create_key(number: usize) -> UsageKey {
    let mut key = UsageKey::default();
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

fn count_entries(entries: &SlotEntries, owner: LimitOwner) -> usize {
    entries.values().filter(|entry| entry.owner == owner).count()
}

#[test]
fn a_tenant_with_long_windows_does_not_displace_other_tenants() {
    let mut entries = SlotEntries::new();
    for number in 0..MAX_ENTRIES / 2 {
        entries.insert(create_key(number), create_bucket(1, 500, 2_000_000));
    }
    for number in 0..10 * MAX_ENTRIES {
        entries.insert(create_key(1000 + number), create_bucket(2, 2000, 7 * DAY_US));
    }
    make_room(&mut entries, NOW_US);
    assert_eq!(
        (count_entries(&entries, 1), count_entries(&entries, 2)),
        (MAX_ENTRIES / 2, MAX_ENTRIES / 2)
    );
    // A third owner has its own part as well.
    let quota = UsageLevel::Quota {
        day: 20_000,
        requests: 60,
        most: 100,
    };
    entries.insert(
        create_key(1),
        SlotEntry {
            owner: 3,
            level: quota,
        },
    );
    make_room(&mut entries, NOW_US);
    assert_eq!((entries.len(), count_entries(&entries, 3)), (MAX_ENTRIES, 1));
}

#[test]
fn the_entry_of_an_owner_with_the_smallest_used_share_goes_first() {
    let mut entries = SlotEntries::new();
    for number in 0..MAX_ENTRIES {
        entries.insert(create_key(number), create_bucket(1, 990, 2_000_000));
    }
    let (long, short) = (create_key(98), create_key(99));
    // The long bucket is full again long after the others, although its used share is smaller.
    entries.insert(long, create_bucket(1, 500, DAY_US));
    entries.insert(short, create_bucket(1, 1000, 20_000));
    entries.insert(create_key(97), create_bucket(1, 0, DAY_US));
    make_room(&mut entries, NOW_US);
    assert_eq!(entries.len(), MAX_ENTRIES);
    assert!(!entries.contains_key(&long) && entries.contains_key(&short));
}

#[test]
fn decoding_restores_an_encoded_slot() {
    let quota = UsageLevel::Quota {
        day: 20_000,
        requests: 7,
        most: 9,
    };
    let entries: SlotEntries = [
        (create_key(1), create_bucket(7, 300, 1_000)),
        (
            create_key(2),
            SlotEntry {
                owner: 8,
                level: quota,
            },
        ),
    ]
    .into();
    let bytes = encode_slot(&entries);
    assert_eq!(decode_slot(&bytes), Some(entries));
    for cut in 0..bytes.len() {
        assert_eq!(decode_slot(&bytes[..cut]), None, "{cut}");
    }
}

#[test]
fn a_lower_usage_is_behind_a_higher_usage() {
    let quota = |day, requests| SlotEntry {
        owner: 1,
        level: UsageLevel::Quota {
            day,
            requests,
            most: 100,
        },
    };
    assert!(quota(1, 99).is_behind(&quota(2, 1)) && !quota(2, 1).is_behind(&quota(1, 99)));
    assert!(quota(2, 1).is_behind(&quota(2, 2)) && !quota(2, 2).is_behind(&quota(2, 2)));
    assert!(create_bucket(1, 1, 5_000).is_behind(&create_bucket(1, 2, 5_000)));
}
