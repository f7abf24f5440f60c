//! Tests of leaderboards that an earlier version stored, without the history of their resets.

use std::collections::BTreeSet;

use futures::executor::block_on;
use leaderboard_core::codec::decode_leaderboard;
use leaderboard_core::ports::{Expected, Leaderboards, PutLeaderboard};
use leaderboard_core::{TenantId, Timestamp};

use crate::in_process::environment::{Answer, Instance};

const LEADERBOARD: &str = "/leaderboards/l";
const DAILY: &str = "0 0 * * *";
const WEEKLY: &str = "0 0 * * 1";
const DAY_MS: i64 = 86_400_000;

/// Returns the configuration of a leaderboard `l` in the first format: default values, and this reset in UTC.
fn encode_first_format(cron: &str) -> Vec<u8> {
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

/// Stores the configuration that a version with the first format would have stored. Tests begin on Sunday,
/// 2026-07-19T21:04:00Z.
fn put_without_history(service: &Instance, cron: &str) {
    let leaderboard = decode_leaderboard(&encode_first_format(cron)).unwrap();
    let at = Timestamp::from_unix_ms(service.now_ms()).unwrap();
    let put = PutLeaderboard {
        tenant: &TenantId::new("default").unwrap(),
        leaderboard: &leaderboard,
        expected: Expected::Any,
        current: &leaderboard.schedule.period_at(at).id,
        rebuild: false,
        verified: None,
        expiries: &[],
        max_leaderboards: None,
        at,
    };
    block_on(service.store.put(&put)).unwrap().unwrap();
}

/// Submits a score, runs the deferred work, and lets two seconds pass.
fn submit_score(service: &Instance, player: &str) {
    let body = format!(r#"{{"player":"{player}","score":1}}"#);
    let answer = service.call("POST", &format!("{LEADERBOARD}/scores"), &body);
    answer.expect_status(200);
    service.settle();
    service.pass_ms(2_000);
}

fn get_entries(service: &Instance, period: &str) -> Answer {
    service.call("GET", &format!("{LEADERBOARD}/entries?period={period}"), "")
}

/// Returns the first player of a page; empty if the page has no entries.
fn find_first_player(answer: &Answer) -> String {
    let page = answer.json();
    page["entries"][0]["player"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Returns all keys of the region's key-value store.
fn list_keys(service: &Instance) -> BTreeSet<String> {
    service.key_value.entries.borrow().keys().cloned().collect()
}

/// Returns how many periods were looked up by id, and how many other reads there were, since the last call.
fn take_counts(service: &Instance) -> (u32, u32) {
    let lookups = service.store.period_lookups.take();
    (lookups, service.store.reads.take() - lookups)
}

#[test]
fn all_instants_of_a_stored_period_share_one_cached_response() {
    let service = Instance::new();
    put_without_history(&service, WEEKLY);
    submit_score(&service, "ann");
    let first = get_entries(&service, "2026-07-13T00:00:00Z");
    assert_eq!(find_first_player(&first), "ann");
    let kept = list_keys(&service);
    take_counts(&service);
    let instant = |n: i64| format!("2026-07-{:02}T{:02}:00:{:02}Z", 13 + n % 6, 1 + n % 20, n % 60);
    for n in 0..60 {
        let again = get_entries(&service, &instant(n));
        assert_eq!(again.text, first.text, "{}", instant(n));
        assert!(again.header("cache-status").starts_with("edgeboard; hit"));
    }
    // Another spelling of an instant is the same name of the period.
    for n in 0..60 {
        get_entries(&service, &instant(n).replace('Z', ".000Z"));
        get_entries(&service, &instant(n).replace('Z', "%2B00:00"));
    }
    assert_eq!(
        take_counts(&service),
        (60, 0),
        "one lookup for each instant, and no read of a page"
    );
    assert_eq!(list_keys(&service), kept, "no instant adds a key");
}

#[test]
fn a_period_is_looked_up_once() {
    let service = Instance::new();
    put_without_history(&service, WEEKLY);
    submit_score(&service, "ann");
    get_entries(&service, "2026-07-13T00:00:00Z");
    take_counts(&service);
    for _ in 0..3 {
        get_entries(&service, "2026-07-14T00:00:00Z");
    }
    assert_eq!(take_counts(&service), (1, 0));
    // Periods begin at whole seconds, so this instant is not the id of a period.
    get_entries(&service, "2026-07-14T00:00:00.500Z");
    assert_eq!(take_counts(&service), (0, 0));
}

#[test]
fn a_period_of_a_replaced_reset_is_found_by_its_id() {
    let service = Instance::new();
    put_without_history(&service, DAILY);
    service.pass_ms(2 * DAY_MS);
    submit_score(&service, "ann");
    // It is Tuesday, 2026-07-21.
    put_without_history(&service, WEEKLY);
    submit_score(&service, "bob");
    for _ in 0..2 {
        assert_eq!(
            find_first_player(&get_entries(&service, "2026-07-21T00:00:00Z")),
            "ann"
        );
        assert_eq!(
            find_first_player(&get_entries(&service, "2026-07-21T00:00:01Z")),
            "bob"
        );
        assert_eq!(
            find_first_player(&get_entries(&service, "2026-07-20T00:00:00Z")),
            "bob"
        );
    }
}

#[test]
fn a_change_of_the_configuration_starts_the_history_of_resets() {
    let service = Instance::new();
    put_without_history(&service, WEEKLY);
    let document =
        |title: &str| format!(r#"{{"title":"{title}","reset":{{"cron":"{WEEKLY}","time_zone":"UTC"}}}}"#);
    let same = service.call("PUT", LEADERBOARD, &document(""));
    let version = same.header("etag").to_owned();
    same.expect_status(200);
    let again = service.call("PUT", LEADERBOARD, &document(""));
    assert_eq!(again.header("etag"), version, "an equal document changes nothing");
    submit_score(&service, "ann");
    service.pass_ms(DAY_MS);
    get_entries(&service, "2026-07-20T00:00:01Z");
    assert_eq!(service.store.period_lookups.take(), 1);
    service.call("PUT", LEADERBOARD, &document("Goals"));
    service.pass_ms(7 * DAY_MS);
    get_entries(&service, "2026-07-27T00:00:01Z");
    assert_eq!(service.store.period_lookups.take(), 0);
}
