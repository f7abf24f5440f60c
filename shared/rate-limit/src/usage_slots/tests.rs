//! Tests of the entries of a slot.

use super::*;

const NOW_US: u64 = 20_000 * DAY_US + 1_000_000;

/// Returns an entry of a bucket of which `thousandths` are used, and that fills in `capacity_us`.
fn bucket(owner: LimitOwner, thousandths: u64, capacity_us: u64) -> SlotEntry {
    let full_at_us = NOW_US + capacity_us / 1000 * thousandths;
    let level = UsageLevel::Bucket {
        full_at_us,
        capacity_us,
    };
    SlotEntry { owner, level }
}

fn test_key(number: usize) -> UsageKey {
    let mut key = UsageKey::default();
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

fn count_of(entries: &SlotEntries, owner: LimitOwner) -> usize {
    entries.values().filter(|entry| entry.owner == owner).count()
}

#[test]
fn a_tenant_with_long_windows_displaces_nobody_from_their_part_of_the_space() {
    let mut entries = SlotEntries::new();
    for number in 0..MAX_ENTRIES / 2 {
        entries.insert(test_key(number), bucket(1, 500, 2_000_000));
    }
    for number in 0..10 * MAX_ENTRIES {
        entries.insert(test_key(1000 + number), bucket(2, 2000, 7 * DAY_US));
    }
    make_room(&mut entries, NOW_US);
    assert_eq!(
        (count_of(&entries, 1), count_of(&entries, 2)),
        (MAX_ENTRIES / 2, MAX_ENTRIES / 2)
    );
    // A third owner has its own part as well.
    let quota = UsageLevel::Quota {
        day: 20_000,
        requests: 60,
        most: 100,
    };
    entries.insert(
        test_key(1),
        SlotEntry {
            owner: 3,
            level: quota,
        },
    );
    make_room(&mut entries, NOW_US);
    assert_eq!((entries.len(), count_of(&entries, 3)), (MAX_ENTRIES, 1));
}

#[test]
fn of_one_owner_the_entry_with_the_smallest_used_share_goes_first() {
    let mut entries = SlotEntries::new();
    for number in 0..MAX_ENTRIES {
        entries.insert(test_key(number), bucket(1, 990, 2_000_000));
    }
    let (long, short) = (test_key(98), test_key(99));
    // It is full again long after the others, although its used share is smaller.
    entries.insert(long, bucket(1, 500, DAY_US));
    entries.insert(short, bucket(1, 1000, 20_000));
    entries.insert(test_key(97), bucket(1, 0, DAY_US));
    make_room(&mut entries, NOW_US);
    assert_eq!(entries.len(), MAX_ENTRIES);
    assert!(!entries.contains_key(&long) && entries.contains_key(&short));
}

#[test]
fn a_slot_is_decoded_as_it_was_encoded() {
    let quota = UsageLevel::Quota {
        day: 20_000,
        requests: 7,
        most: 9,
    };
    let entries: SlotEntries = [
        (test_key(1), bucket(7, 300, 1_000)),
        (
            test_key(2),
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
fn the_higher_usage_stays() {
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
    assert!(bucket(1, 1, 5_000).is_behind(&bucket(1, 2, 5_000)));
}
