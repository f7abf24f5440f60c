//! Periods while the clock moves: their ids, their list, and changes of a reset.

use std::collections::BTreeSet;

use leaderboard_core::PeriodId;
use leaderboard_core::ports::PutRefusal;
use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance, Region};

const WEEK: &str = "/leaderboards/week";
const WEEKLY: &str = r#"{"reset":{"cron":"0 0 * * 1","time_zone":"UTC"}}"#;
const DAY_MS: i64 = 86_400_000;

/// A leaderboard `week`; it is Sunday, 2026-07-19T21:04:00Z.
fn service(document: &str) -> Instance {
    let service = Instance::new();
    let put = service.call("PUT", WEEK, document);
    put.expect_status(201);
    service
}

fn score(service: &Instance, player: &str, score: i64) -> Value {
    let body = format!(r#"{{"player":"{player}","score":{score}}}"#);
    let answer = service.call("POST", &format!("{WEEK}/scores"), &body);
    answer.expect_status(200);
    answer.json()
}

fn get(service: &Instance, rest: &str) -> Answer {
    service.anonymous(&format!("{WEEK}/{rest}"))
}

fn players(service: &Instance, period: &str) -> Vec<String> {
    let page = get(service, &format!("entries?period={period}")).json();
    let entries = page["entries"].as_array().unwrap_or_else(|| panic!("{page}"));
    entries
        .iter()
        .map(|entry| entry["player"].as_str().unwrap().to_owned())
        .collect()
}

/// All keys of the region.
fn keys(service: &Instance) -> BTreeSet<String> {
    service.key_value.entries.borrow().keys().cloned().collect()
}

#[test]
fn a_thousand_instants_of_a_period_are_one_response() {
    let service = service(WEEKLY);
    score(&service, "ann", 1);
    service.settle();
    service.pass_ms(2_000);
    let first = get(&service, "entries?period=2026-07-13T00:00:00Z&limit=1000");
    assert_eq!(first.json()["entries"][0]["player"], "ann");
    service.settle();
    let kept = keys(&service);
    service.store.reads.set(0);
    service.store.board_reads.set(0);
    for n in 0..1000 {
        let instant = format!("2026-07-{}T0{}:17:00.{n:03}Z", 13 + n % 6, n % 10);
        // The operator's key has no limit of its own.
        let path = format!("{WEEK}/entries?period={instant}&limit=1000");
        let again = service.call("GET", &path, "");
        assert_eq!(again.text, first.text);
        assert!(
            again.header("cache-status").starts_with("edgeboard; hit"),
            "{instant}"
        );
    }
    for day in 13..=19 {
        let again = get(&service, &format!("entries?period=2026-07-{day}&limit=1000"));
        assert_eq!(again.text, first.text);
    }
    assert_eq!(
        (service.store.reads.get(), service.store.board_reads.get()),
        (0, 0)
    );
    assert_eq!(keys(&service), kept, "no instant leaves a key of its own");
}

#[test]
fn instants_long_before_a_leaderboard_cost_no_read() {
    let service = service(WEEKLY);
    score(&service, "ann", 1);
    service.settle();
    service.store.reads.set(0);
    for n in 0..200 {
        let instant = format!("19{:02}-03-04T05:06:07.{n:03}Z", n % 100);
        assert_eq!(
            service
                .call("GET", &format!("{WEEK}/entries?period={instant}"), "")
                .problem()
                .1,
            "period-not-found"
        );
    }
    assert_eq!(service.store.reads.get(), 0);
}

#[test]
fn a_date_is_one_of_the_leaderboards_time_zone() {
    let service = service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"Asia/Tokyo"}}"#);
    score(&service, "ann", 1);
    // It is the morning of the twentieth in Tokyo.
    assert_eq!(players(&service, "2026-07-20"), ["ann"]);
    assert!(players(&service, "2026-07-19").is_empty());
    let removed = service.call("DELETE", &format!("{WEEK}/scores/ann?period=2026-07-20"), "");
    assert!(removed.status < 300, "{}", removed.text);
    for (period, words) in [
        ("2026-07-20T00:00:00+09:00", "%2B"),
        ("2026-07-32", "a date such as"),
        ("tomorrow", "a date such as"),
    ] {
        let refused = get(&service, &format!("entries?period={period}"));
        assert_eq!(refused.problem().2, "period");
        assert!(refused.text.contains(words), "{}", refused.text);
    }
    get(&service, "entries?period=2026-07-20T00:00:00%2B09:00").expect_status(200);
}

#[test]
fn periods_are_listed_page_by_page_and_kept() {
    let service = service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    for _ in 0..5 {
        score(&service, "ann", 1);
        service.pass_ms(DAY_MS);
    }
    service.settle();
    service.pass_ms(2_000);
    let list = |cursor: &str| get(&service, &format!("periods?limit=2{cursor}"));
    let ids = |page: &Value| {
        let periods = page["periods"].as_array().unwrap().iter();
        periods
            .map(|period| period["id"].as_str().unwrap()[..10].to_owned())
            .collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    let mut cursor = String::new();
    for _ in 0..3 {
        let page = list(&cursor).json();
        found.extend(ids(&page));
        cursor = page["next"]
            .as_str()
            .map(|next| format!("&cursor={next}"))
            .unwrap_or_default();
    }
    assert_eq!(cursor, "", "that was the last page");
    assert_eq!(
        found,
        [
            "2026-07-23",
            "2026-07-22",
            "2026-07-21",
            "2026-07-20",
            "2026-07-19"
        ]
    );
    service.settle();
    service.store.reads.set(0);
    let again = list("");
    assert_eq!(ids(&again.json()), ["2026-07-23", "2026-07-22"]);
    assert!(again.header("cache-status").starts_with("edgeboard; hit"));
    assert_eq!(service.store.reads.get(), 0);
    let second = service
        .send("GET", &format!("/api/v2{WEEK}/periods?limit=2"), "", &[])
        .json();
    assert_eq!(second["data"].as_array().unwrap().len(), 2);
    assert!(second["page"]["next"].is_string());
    for bad in ["limit=201", "limit=0", "cursor=AAAA", "period=current"] {
        get(&service, &format!("periods?{bad}")).expect_status(400);
    }
}

#[test]
fn a_changed_reset_empties_no_list_and_keeps_the_archive() {
    let service = service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    score(&service, "yesterday", 1);
    service.pass_ms(DAY_MS);
    score(&service, "today", 1);
    let changed = service.call("PUT", WEEK, WEEKLY);
    assert_eq!(
        changed.json()["reset_takes_effect_at"],
        "2026-07-21T00:00:00.000Z"
    );
    assert_eq!(service.call("GET", WEEK, "").json(), changed.json());
    // What was read can be sent back, and changes nothing.
    let same = service.call("PUT", WEEK, &changed.text);
    assert_eq!((same.status, same.header("etag")), (200, changed.header("etag")));
    assert_eq!(players(&service, "current"), ["today"]);
    assert_eq!(players(&service, "previous"), ["yesterday"]);
    score(&service, "today", 2);
    service.pass_ms(DAY_MS);
    assert_eq!(score(&service, "tomorrow", 1)["period"], "2026-07-21T00:00:00Z");
    assert_eq!(players(&service, "previous"), ["today"]);
    assert_eq!(players(&service, "2026-07-19"), ["yesterday"]);
    let late = r#"{"player":"late","score":0,"occurred_at":"2026-07-19T22:00:00Z"}"#;
    let late = service.call("POST", &format!("{WEEK}/scores"), late).json();
    assert_eq!(late["period"], "2026-07-19T00:00:00Z");
    let listed = get(&service, "periods").json();
    let bounds: Vec<Value> = listed["periods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|period| json!([period["starts_at"], period["ends_at"]]))
        .collect();
    assert_eq!(
        bounds,
        [
            json!(["2026-07-21T00:00:00.000Z", "2026-07-27T00:00:00.000Z"]),
            json!(["2026-07-20T00:00:00.000Z", "2026-07-21T00:00:00.000Z"]),
            json!(["2026-07-19T00:00:00.000Z", "2026-07-20T00:00:00.000Z"]),
        ]
    );
}

#[test]
fn all_time_ends_at_the_first_reset_and_stays_to_be_read() {
    let service = service("{}");
    score(&service, "ann", 1);
    let changed = service.call("PATCH", WEEK, WEEKLY);
    assert_eq!(
        changed.json()["reset_takes_effect_at"],
        "2026-07-20T00:00:00.000Z"
    );
    assert_eq!(players(&service, "current"), ["ann"]);
    assert_eq!(
        get(&service, "periods").json()["periods"][0]["ends_at"],
        "2026-07-20T00:00:00.000Z"
    );
    service.pass_ms(DAY_MS);
    score(&service, "bob", 1);
    assert_eq!(players(&service, "current"), ["bob"]);
    for name in ["previous", "all", "1916-07-02"] {
        assert_eq!(players(&service, name), ["ann"], "{name}");
    }
    let back = service.call("PATCH", WEEK, r#"{"reset":null}"#);
    assert_eq!(back.json()["reset_takes_effect_at"], "2026-07-27T00:00:00.000Z");
    service.pass_ms(30 * DAY_MS);
    assert!(players(&service, "current").is_empty());
    assert_eq!(players(&service, "previous"), ["bob"]);
    assert_eq!(players(&service, "all"), ["ann"]);
}

#[test]
fn with_rebuild_the_current_period_goes_on_to_the_next_reset() {
    let service = service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    score(&service, "ann", 1);
    let changed = service.call(
        "PUT",
        &format!("{WEEK}?rebuild=true"),
        r#"{"reset":{"cron":"0 0 1 * *","time_zone":"UTC"}}"#,
    );
    assert_eq!(
        changed.json()["reset_takes_effect_at"],
        "2026-07-19T00:00:00.000Z"
    );
    service.pass_ms(5 * DAY_MS);
    score(&service, "bob", 2);
    assert_eq!(players(&service, "current"), ["bob", "ann"]);
    assert_eq!(
        get(&service, "periods").json()["periods"],
        json!([{"id": "2026-07-19T00:00:00Z", "starts_at": "2026-07-19T00:00:00.000Z", "ends_at": "2026-08-01T00:00:00.000Z", "version": 4, "count": 2}])
    );
}

#[test]
fn a_period_that_a_fast_clock_began_takes_part_in_a_change_of_order() {
    let service = service(WEEKLY);
    begin_early(&service);
    let latest = r#"{"ties":"latest","reset":{"cron":"0 0 * * 1","time_zone":"UTC"}}"#;
    let refused = service.call("PUT", WEEK, latest);
    assert_eq!(refused.problem().1, "rebuild-needed");
    let words = "the period 2026-07-20T00:00:00Z, which a clock that is ahead has begun, has entries";
    assert!(refused.text.contains(words), "{}", refused.text);
    service
        .call("PUT", &format!("{WEEK}?rebuild=true"), latest)
        .expect_status(200);
    service.pass_ms(60_000);
    assert_eq!(score(&service, "ann", 1)["period"], "2026-07-20T00:00:00Z");
    assert_eq!(players(&service, "current"), ["ann", "early"]);
}

/// Half a minute before a reset at midnight; a score of a clock that is ahead has begun the next period.
fn begin_early(service: &Instance) {
    service.pass_ms(3 * 3_600_000 - 5 * 60_000 + 30_000);
    let early = r#"{"player":"early","score":1,"occurred_at":"2026-07-20T00:00:01Z"}"#;
    let taken = service.call("POST", &format!("{WEEK}/scores"), early).json();
    assert_eq!(taken["period"], "2026-07-20T00:00:00Z");
}

#[test]
fn no_change_of_the_reset_leaves_out_a_period_that_a_fast_clock_began() {
    let refused = |service: &Instance, path: &str, document: &str| {
        let answer = service.call("PUT", path, document);
        let (status, kind, place) = answer.problem();
        assert_eq!((status, kind.as_str()), (422, "validation"));
        assert!(place == "#/reset" || place == "#", "{place}");
        let words =
            "the period 2026-07-20T00:00:00Z, which a clock that is ahead has begun, would be left out";
        assert!(answer.text.contains(words), "{}", answer.text);
        assert_eq!(players(service, "2026-07-20T00:00:00Z"), ["early"]);
    };
    let monthly = r#"{"reset":{"cron":"0 0 1 * *","time_zone":"UTC"}}"#;
    let rebuild = format!("{WEEK}?rebuild=true");
    let daily = service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    begin_early(&daily);
    refused(&daily, &rebuild, monthly);
    // A moment later the period is the current one.
    daily.pass_ms(30_000);
    daily.call("PUT", &rebuild, monthly).expect_status(200);
    daily.pass_ms(5 * DAY_MS);
    assert_eq!(players(&daily, "current"), ["early"]);

    // At the end of the current period there is a new one either way.
    let daily = service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    begin_early(&daily);
    daily.call("PUT", WEEK, monthly).expect_status(200);
    assert_eq!(players(&daily, "2026-07-20T00:00:00Z"), ["early"]);

    // A change that has not taken effect, and is dropped, has named the period.
    let pending = service("{}");
    pending.call("PUT", WEEK, WEEKLY).expect_status(200);
    begin_early(&pending);
    refused(&pending, WEEK, r#"{"reset":null}"#);
    refused(&pending, WEEK, monthly);
}

#[test]
fn a_stored_change_is_announced_even_if_a_period_keeps_its_order() {
    let service = Region::with_options().announcing().instance();
    service.call("PUT", WEEK, WEEKLY).expect_status(201);
    begin_early(&service);
    service.settle();
    let early = PeriodId::parse("2026-07-20T00:00:00Z").unwrap();
    let stuck = |why| *service.store.unordered.borrow_mut() = Some((early.clone(), why));
    let rebuild = format!("{WEEK}?rebuild=true");
    let latest = WEEKLY.replace(r#"{"reset""#, r#"{"ties":"latest","reset""#);
    for (why, status, kind) in [
        (PutRefusal::Unfinished, 503, "rebuilding"),
        (PutRefusal::TooManyEntries, 409, "rebuild-too-large"),
    ] {
        stuck(why);
        let before = service.store.announcements.get();
        let refused = service.call("PUT", &rebuild, &latest);
        assert_eq!(refused.problem().0, status);
        assert_eq!(refused.problem().1, kind);
        let words = "The leaderboard is stored and has a new version, but the period 2026-07-20T00:00:00Z";
        assert!(refused.text.contains(words), "{}", refused.text);
        service.settle();
        assert_eq!(service.store.announcements.get(), before + 1);
        assert_eq!(service.call("GET", WEEK, "").json()["ties"], "latest");
    }
    // The same request goes on.
    service.store.unordered.take();
    service.call("PUT", &rebuild, &latest).expect_status(200);
    service.pass_ms(60_000);
    score(&service, "ann", 1);
    assert_eq!(players(&service, "current"), ["ann", "early"]);
}

#[test]
fn a_change_that_is_stored_and_overtaken_by_another_is_done() {
    let service = service(WEEKLY);
    begin_early(&service);
    let early = PeriodId::parse("2026-07-20T00:00:00Z").unwrap();
    let overtaken = PutRefusal::VersionMismatch { current: Some(9) };
    *service.store.unordered.borrow_mut() = Some((early, overtaken));
    let there = service.call("GET", WEEK, "");
    let latest = WEEKLY.replace(r#"{"reset""#, r#"{"ties":"latest","reset""#);
    let guarded = [("if-match", there.header("etag"))];
    let put = service.call_with("PUT", &format!("{WEEK}?rebuild=true"), &latest, &guarded);
    put.expect_status(200);
}

#[test]
fn a_reset_changes_as_often_as_its_history_has_room() {
    let reset = |minute: usize| {
        format!(r#"{{"keep_periods":1000,"reset":{{"cron":"{minute} * * * *","time_zone":"UTC"}}}}"#)
    };
    let service = service(&reset(0));
    for turn in 1..=32 {
        service.pass_ms(7_200_000);
        service.call("PUT", WEEK, &reset(turn)).expect_status(200);
    }
    service.pass_ms(7_200_000);
    let refused = service.call("PUT", WEEK, &reset(33)).problem();
    assert_eq!((refused.0, refused.2.as_str()), (422, "#/reset"));
    let fewer = reset(33).replace("1000", "12");
    service.call("PUT", WEEK, &fewer).expect_status(200);
}
