use super::*;

fn packed() -> Vec<u8> {
    let document = Versioned {
        version: 7,
        value: b"{}".to_vec(),
    };
    let bodies = Rc::new(vec![None, Some(document)]);
    pack("tenant:a", &Copy::new(bodies, Timestamp::MAX, 9))
}

#[test]
fn a_copy_comes_back_as_it_was() {
    let copy = unpack("tenant:a", &packed()).unwrap();
    assert_eq!((copy.checked_at, copy.generation), (Timestamp::MAX, 9));
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
    let copy = |ms| Rc::new(Copy::new(Rc::default(), at(ms), 0));
    let copies = DocumentCache::default();
    let remember = |ms, occasion, now| copies.remember("a", copy(ms), occasion, at(now)).checked_at;
    assert_eq!(remember(5_000, Occasion::Permission, 5_000), at(5_000));
    assert_eq!(remember(4_999, Occasion::Permission, 5_000), at(5_000));
    assert_eq!(remember(4_999, Occasion::Change, 5_000), at(5_000));
    let (before, changed) = (copies.find("a").unwrap(), copy(5_000));
    copies.remember("a", Rc::clone(&before), Occasion::Permission, at(5_000));
    copies.remember("a", Rc::clone(&changed), Occasion::Change, at(5_000));
    copies.remember("a", before, Occasion::Permission, at(5_000));
    assert!(Rc::ptr_eq(&copies.find("a").unwrap(), &changed));
    // One of a clock that runs far ahead does.
    assert_eq!(remember(10_000, Occasion::Permission, 10_000), at(10_000));
    assert_eq!(remember(9_000, Occasion::Permission, 9_000), at(10_000));
    assert_eq!(remember(8_999, Occasion::Permission, 8_999), at(8_999));
}

#[test]
fn the_copy_that_was_used_least_recently_makes_room() {
    let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
    let copies = DocumentCache::default();
    let remember = |group: &str, ms| {
        let copy = Rc::new(Copy::new(Rc::default(), at(ms), 0));
        copies.remember(group, copy, Occasion::Permission, at(ms));
    };
    for n in 0..i64::try_from(MAX_COPIES).unwrap() {
        remember(&format!("{n:04}"), n);
    }
    let known = |group| copies.find(group).is_some();
    assert!(known("0000"));
    remember("0500", 5_000);
    assert_eq!(copies.0.borrow().len(), MAX_COPIES);
    remember("new", 5_000);
    assert_eq!(copies.0.borrow().len(), MAX_COPIES);
    assert!(known("new") && known("0000") && known("0002") && !known("0001"));
}

#[test]
fn a_refresh_that_is_never_finished_makes_way() {
    let copy = Rc::new(Copy::new(Rc::default(), Timestamp::MAX, 0));
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
