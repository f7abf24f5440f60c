//! Leaderboards that an earlier version stored, without the history of their resets.

use std::collections::BTreeSet;

use futures::executor::block_on;
use leaderboard_core::codec::decode_leaderboard;
use leaderboard_core::ports::{Expected, Leaderboards, PutLeaderboard};
use leaderboard_core::{TenantId, Timestamp};

use crate::in_process::environment::{Answer, Instance};

const GOALS: &str = "/leaderboards/l";
const DAILY: &str = "0 0 * * *";
const WEEKLY: &str = "0 0 * * 1";
const DAY_MS: i64 = 86_400_000;

/// A configuration `l` of the first shape: all defaults, and this reset in UTC.
fn first_shape(cron: &str) -> Vec<u8> {
    #[rustfmt::skip]
    let before = [1, 1, b'l', 0, 0, 1, 0, 5, b's', b'c', b'o', b'r', b'e', 0, 0, 1, 9];
    [
        &before[..],
        cron.as_bytes(),
        b"\x03UTC",
        &[12, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat()
}

/// Stores a configuration as the version of the first shape did; it is Sunday, 2026-07-19T21:04:00Z, at first.
fn put_old(service: &Instance, cron: &str) {
    let leaderboard = decode_leaderboard(&first_shape(cron)).unwrap();
    let at = Timestamp::from_unix_ms(service.now_ms()).unwrap();
    let put = PutLeaderboard {
        tenant: &TenantId::new("default").unwrap(),
        leaderboard: &leaderboard,
        expected: Expected::Any,
        current: &leaderboard.schedule.period_at(at).id,
        rebuild: false,
        expiries: &[],
        max_leaderboards: None,
        at,
    };
    block_on(service.store.put(&put)).unwrap().unwrap();
}

fn score(service: &Instance, player: &str) {
    let body = format!(r#"{{"player":"{player}","score":1}}"#);
    let answer = service.call("POST", &format!("{GOALS}/scores"), &body);
    answer.expect_status(200);
    service.settle();
    service.pass_ms(2_000);
}

fn entries(service: &Instance, period: &str) -> Answer {
    service.call("GET", &format!("{GOALS}/entries?period={period}"), "")
}

fn player(answer: &Answer) -> String {
    let page = answer.json();
    page["entries"][0]["player"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn keys(service: &Instance) -> BTreeSet<String> {
    service.key_value.entries.borrow().keys().cloned().collect()
}

/// How often a period was asked for by its id, and how often anything else was read of ranks, since the last look.
fn take_counts(service: &Instance) -> (u32, u32) {
    let names = service.store.period_lookups.take();
    (names, service.store.reads.take() - names)
}

#[test]
fn every_second_of_a_week_is_one_response() {
    let service = Instance::new();
    put_old(&service, WEEKLY);
    score(&service, "ann");
    let first = entries(&service, "2026-07-13T00:00:00Z");
    assert_eq!(player(&first), "ann");
    let kept = keys(&service);
    take_counts(&service);
    let instant = |n: i64| format!("2026-07-{:02}T{:02}:00:{:02}Z", 13 + n % 6, 1 + n % 20, n % 60);
    for n in 0..60 {
        let again = entries(&service, &instant(n));
        assert_eq!(again.text, first.text, "{}", instant(n));
        assert!(again.header("cache-status").starts_with("edgeboard; hit"));
    }
    // Other spellings of the same instants are no other names.
    for n in 0..60 {
        entries(&service, &instant(n).replace('Z', ".000Z"));
        entries(&service, &instant(n).replace('Z', "%2B00:00"));
    }
    assert_eq!(
        take_counts(&service),
        (60, 0),
        "one small question for each name, and no page"
    );
    assert_eq!(keys(&service), kept, "no instant leaves a key of its own");
}

#[test]
fn a_period_is_looked_up_once() {
    let service = Instance::new();
    put_old(&service, WEEKLY);
    score(&service, "ann");
    entries(&service, "2026-07-13T00:00:00Z");
    take_counts(&service);
    for _ in 0..3 {
        entries(&service, "2026-07-14T00:00:00Z");
    }
    assert_eq!(take_counts(&service), (1, 0));
    // By an instant within a second no period begins.
    entries(&service, "2026-07-14T00:00:00.500Z");
    assert_eq!(take_counts(&service), (0, 0));
}

#[test]
fn a_period_of_a_rule_that_is_gone_is_found_by_its_id() {
    let service = Instance::new();
    put_old(&service, DAILY);
    service.pass_ms(2 * DAY_MS);
    score(&service, "ann");
    // It is Tuesday.
    put_old(&service, WEEKLY);
    score(&service, "bob");
    for _ in 0..2 {
        assert_eq!(player(&entries(&service, "2026-07-21T00:00:00Z")), "ann");
        assert_eq!(player(&entries(&service, "2026-07-21T00:00:01Z")), "bob");
        assert_eq!(player(&entries(&service, "2026-07-20T00:00:00Z")), "bob");
    }
}

#[test]
fn a_put_that_changes_anything_begins_the_history() {
    let service = Instance::new();
    put_old(&service, WEEKLY);
    let document =
        |title: &str| format!(r#"{{"title":"{title}","reset":{{"cron":"{WEEKLY}","time_zone":"UTC"}}}}"#);
    let same = service.call("PUT", GOALS, &document(""));
    let version = same.header("etag").to_owned();
    same.expect_status(200);
    let again = service.call("PUT", GOALS, &document(""));
    assert_eq!(again.header("etag"), version, "nothing was changed");
    score(&service, "ann");
    service.pass_ms(DAY_MS);
    entries(&service, "2026-07-20T00:00:01Z");
    assert_eq!(service.store.period_lookups.take(), 1);
    service.call("PUT", GOALS, &document("Goals"));
    service.pass_ms(7 * DAY_MS);
    entries(&service, "2026-07-27T00:00:01Z");
    assert_eq!(service.store.period_lookups.take(), 0);
}
