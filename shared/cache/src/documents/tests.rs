use super::key_value_tier::{EMPTY_GROUP_KEYS, format_empty_key, pack, unpack};
use super::*;

fn packed() -> Vec<u8> {
    let document = Versioned {
        version: 7,
        value: b"{}".to_vec(),
    };
    let bodies = Rc::new(vec![None, Some(document)]);
    pack("tenant:a", &CachedDocuments::new(bodies, Timestamp::MAX, 9))
}

#[test]
fn documents_are_read_back_as_they_were() {
    let cached = unpack("tenant:a", &packed()).unwrap();
    assert_eq!((cached.checked_at, cached.generation), (Timestamp::MAX, 9));
    let versions: Vec<_> = cached
        .bodies
        .iter()
        .map(|body| body.as_ref().map(|body| body.version))
        .collect();
    assert_eq!(versions, [None, Some(7)]);
}

#[test]
fn bytes_of_another_group_or_damaged_bytes_are_no_documents() {
    assert!(unpack("tenant:b", &packed()).is_none());
    for cut in 0..packed().len() {
        assert!(unpack("tenant:a", &packed()[..cut]).is_none(), "{cut}");
    }
    let mut older = packed();
    older[0] -= 1;
    assert!(unpack("tenant:a", &older).is_none());
}

#[test]
fn older_documents_never_replace_newer_ones() {
    let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
    let cached = |ms| Rc::new(CachedDocuments::new(Rc::default(), at(ms), 0));
    let cache = DocumentCache::default();
    let store = |ms, reason, now| cache.store("a", cached(ms), reason, at(now)).checked_at;
    assert_eq!(store(5_000, FetchReason::Read, 5_000), at(5_000));
    assert_eq!(store(4_999, FetchReason::Read, 5_000), at(5_000));
    assert_eq!(store(4_999, FetchReason::Change, 5_000), at(5_000));
    let (before, changed) = (cache.find("a").unwrap(), cached(5_000));
    cache.store("a", Rc::clone(&before), FetchReason::Read, at(5_000));
    cache.store("a", Rc::clone(&changed), FetchReason::Change, at(5_000));
    cache.store("a", before, FetchReason::Read, at(5_000));
    assert!(Rc::ptr_eq(&cache.find("a").unwrap(), &changed));
    // Documents of a clock that is far ahead are replaced.
    assert_eq!(store(10_000, FetchReason::Read, 10_000), at(10_000));
    assert_eq!(store(9_000, FetchReason::Read, 9_000), at(10_000));
    assert_eq!(store(8_999, FetchReason::Read, 8_999), at(8_999));
}

#[test]
fn the_least_recently_used_group_is_evicted() {
    let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
    let cache = DocumentCache::default();
    let store = |group: &str, ms| {
        let cached = Rc::new(CachedDocuments::new(Rc::default(), at(ms), 0));
        cache.store(group, cached, FetchReason::Read, at(ms));
    };
    for n in 0..i64::try_from(MAX_GROUPS).unwrap() {
        store(&format!("{n:04}"), n);
    }
    let known = |group| cache.find(group).is_some();
    assert!(known("0000"));
    store("0500", 5_000);
    assert_eq!(cache.0.borrow().len(), MAX_GROUPS);
    store("new", 5_000);
    assert_eq!(cache.0.borrow().len(), MAX_GROUPS);
    assert!(known("new") && known("0000") && known("0002") && !known("0001"));
}

#[test]
fn a_dropped_refresh_allows_the_next_one() {
    let cached = Rc::new(CachedDocuments::new(Rc::default(), Timestamp::MAX, 0));
    let refresh = Refresh::begin(&cached);
    assert!(refresh.is_some() && Refresh::begin(&cached).is_none());
    drop(refresh);
    assert!(Refresh::begin(&cached).is_some());
}

#[test]
fn groups_without_documents_share_a_bounded_number_of_keys() {
    let keys: std::collections::BTreeSet<_> = (0..10_000)
        .map(|n| format_empty_key(&format!("tenant:{n}")))
        .collect();
    assert_eq!(keys.len() as u64, EMPTY_GROUP_KEYS);
}
