//! Tests of periods while the clock moves: their ids, their list, and changes of the reset.

use std::collections::BTreeSet;

use leaderboard_core::PeriodId;
use leaderboard_core::ports::PutRefusal;
use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance, Region};

const WEEK: &str = "/leaderboards/week";
const WEEKLY: &str = r#"{"reset":{"cron":"0 0 * * 1","time_zone":"UTC"}}"#;
const DAY_MS: i64 = 86_400_000;

/// Creates a service with a leaderboard `week`. Tests begin on Sunday, 2026-07-19T21:04:00Z.
fn create_service(document: &str) -> Instance {
    let service = Instance::new();
    let put = service.call("PUT", WEEK, document);
    put.expect_status(201);
    service
}

fn submit_score(service: &Instance, player: &str, score: i64) -> Value {
    let body = format!(r#"{{"player":"{player}","score":{score}}}"#);
    let answer = service.call("POST", &format!("{WEEK}/scores"), &body);
    answer.expect_status(200);
    answer.json()
}

fn get_anonymously(service: &Instance, rest: &str) -> Answer {
    service.anonymous(&format!("{WEEK}/{rest}"))
}

fn list_players(service: &Instance, period: &str) -> Vec<String> {
    let page = get_anonymously(service, &format!("entries?period={period}")).json();
    let entries = page["entries"].as_array().unwrap_or_else(|| panic!("{page}"));
    entries
        .iter()
        .map(|entry| entry["player"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns all keys of the region's key-value store.
fn list_keys(service: &Instance) -> BTreeSet<String> {
    service.key_value.entries.borrow().keys().cloned().collect()
}

#[test]
fn a_thousand_instants_of_a_period_share_one_cached_response() {
    let service = create_service(WEEKLY);
    submit_score(&service, "ann", 1);
    service.settle();
    service.pass_ms(2_000);
    let first = get_anonymously(&service, "entries?period=2026-07-13T00:00:00Z&limit=1000");
    assert_eq!(first.json()["entries"][0]["player"], "ann");
    service.settle();
    let kept = list_keys(&service);
    service.store.reads.set(0);
    service.store.board_reads.set(0);
    for n in 0..1000 {
        let instant = format!("2026-07-{}T0{}:17:00.{n:03}Z", 13 + n % 6, n % 10);
        // The operator's key has no rate limit, so it can send 1000 requests.
        let path = format!("{WEEK}/entries?period={instant}&limit=1000");
        let again = service.call("GET", &path, "");
        assert_eq!(again.text, first.text);
        assert!(
            again.header("cache-status").starts_with("edgeboard; hit"),
            "{instant}"
        );
    }
    for day in 13..=19 {
        let again = get_anonymously(&service, &format!("entries?period=2026-07-{day}&limit=1000"));
        assert_eq!(again.text, first.text);
    }
    assert_eq!(
        (service.store.reads.get(), service.store.board_reads.get()),
        (0, 0)
    );
    assert_eq!(list_keys(&service), kept, "no instant adds a key");
}

#[test]
fn instants_long_before_a_leaderboard_are_refused_without_a_read() {
    let service = create_service(WEEKLY);
    submit_score(&service, "ann", 1);
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
fn a_date_is_in_the_time_zone_of_the_leaderboard() {
    let service = create_service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"Asia/Tokyo"}}"#);
    submit_score(&service, "ann", 1);
    // In Tokyo it is the morning of 2026-07-20.
    assert_eq!(list_players(&service, "2026-07-20"), ["ann"]);
    assert!(list_players(&service, "2026-07-19").is_empty());
    let removed = service.call("DELETE", &format!("{WEEK}/scores/ann?period=2026-07-20"), "");
    assert!(removed.status < 300, "{}", removed.text);
    for (period, words) in [
        ("2026-07-20T00:00:00+09:00", "%2B"),
        ("2026-07-32", "a date such as"),
        ("tomorrow", "a date such as"),
    ] {
        let refused = get_anonymously(&service, &format!("entries?period={period}"));
        assert_eq!(refused.problem().2, "period");
        assert!(refused.text.contains(words), "{}", refused.text);
    }
    get_anonymously(&service, "entries?period=2026-07-20T00:00:00%2B09:00").expect_status(200);
}

#[test]
fn periods_are_listed_page_by_page_and_the_pages_are_cached() {
    let service = create_service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    for _ in 0..5 {
        submit_score(&service, "ann", 1);
        service.pass_ms(DAY_MS);
    }
    service.settle();
    service.pass_ms(2_000);
    let list = |cursor: &str| get_anonymously(&service, &format!("periods?limit=2{cursor}"));
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
    assert_eq!(cursor, "", "the third page is the last");
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
        get_anonymously(&service, &format!("periods?{bad}")).expect_status(400);
    }
}

#[test]
fn a_change_of_the_reset_keeps_the_current_and_earlier_periods() {
    let service = create_service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    submit_score(&service, "yesterday", 1);
    service.pass_ms(DAY_MS);
    submit_score(&service, "today", 1);
    let changed = service.call("PUT", WEEK, WEEKLY);
    assert_eq!(
        changed.json()["reset_takes_effect_at"],
        "2026-07-21T00:00:00.000Z"
    );
    assert_eq!(service.call("GET", WEEK, "").json(), changed.json());
    // A put of the document that was read changes nothing.
    let same = service.call("PUT", WEEK, &changed.text);
    assert_eq!((same.status, same.header("etag")), (200, changed.header("etag")));
    assert_eq!(list_players(&service, "current"), ["today"]);
    assert_eq!(list_players(&service, "previous"), ["yesterday"]);
    submit_score(&service, "today", 2);
    service.pass_ms(DAY_MS);
    assert_eq!(
        submit_score(&service, "tomorrow", 1)["period"],
        "2026-07-21T00:00:00Z"
    );
    assert_eq!(list_players(&service, "previous"), ["today"]);
    assert_eq!(list_players(&service, "2026-07-19"), ["yesterday"]);
    let late = r#"{"player":"late","score":0,"occurred_at":"2026-07-19T22:00:00Z"}"#;
    let late = service.call("POST", &format!("{WEEK}/scores"), late).json();
    assert_eq!(late["period"], "2026-07-19T00:00:00Z");
    let listed = get_anonymously(&service, "periods").json();
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
fn the_all_time_period_ends_at_the_first_reset_and_stays_readable() {
    let service = create_service("{}");
    submit_score(&service, "ann", 1);
    let changed = service.call("PATCH", WEEK, WEEKLY);
    assert_eq!(
        changed.json()["reset_takes_effect_at"],
        "2026-07-20T00:00:00.000Z"
    );
    assert_eq!(list_players(&service, "current"), ["ann"]);
    assert_eq!(
        get_anonymously(&service, "periods").json()["periods"][0]["ends_at"],
        "2026-07-20T00:00:00.000Z"
    );
    service.pass_ms(DAY_MS);
    submit_score(&service, "bob", 1);
    assert_eq!(list_players(&service, "current"), ["bob"]);
    for name in ["previous", "all", "1916-07-02"] {
        assert_eq!(list_players(&service, name), ["ann"], "{name}");
    }
    let back = service.call("PATCH", WEEK, r#"{"reset":null}"#);
    assert_eq!(back.json()["reset_takes_effect_at"], "2026-07-27T00:00:00.000Z");
    service.pass_ms(30 * DAY_MS);
    assert!(list_players(&service, "current").is_empty());
    assert_eq!(list_players(&service, "previous"), ["bob"]);
    assert_eq!(list_players(&service, "all"), ["ann"]);
}

#[test]
fn with_rebuild_the_current_period_lasts_until_the_new_reset() {
    let service = create_service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    submit_score(&service, "ann", 1);
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
    submit_score(&service, "bob", 2);
    assert_eq!(list_players(&service, "current"), ["bob", "ann"]);
    assert_eq!(
        get_anonymously(&service, "periods").json()["periods"],
        json!([{"id": "2026-07-19T00:00:00Z", "starts_at": "2026-07-19T00:00:00.000Z", "ends_at": "2026-08-01T00:00:00.000Z", "version": 4, "count": 2}])
    );
}

#[test]
fn a_change_of_order_includes_a_period_that_began_early() {
    let service = create_service(WEEKLY);
    begin_period_early(&service);
    let latest = r#"{"ties":"latest","reset":{"cron":"0 0 * * 1","time_zone":"UTC"}}"#;
    let refused = service.call("PUT", WEEK, latest);
    assert_eq!(refused.problem().1, "rebuild-needed");
    let words = "the period 2026-07-20T00:00:00Z, which a clock that is ahead has begun, has entries";
    assert!(refused.text.contains(words), "{}", refused.text);
    service
        .call("PUT", &format!("{WEEK}?rebuild=true"), latest)
        .expect_status(200);
    service.pass_ms(60_000);
    assert_eq!(submit_score(&service, "ann", 1)["period"], "2026-07-20T00:00:00Z");
    assert_eq!(list_players(&service, "current"), ["ann", "early"]);
}

/// Moves the clock to half a minute before the reset at midnight. Begins the next period by the score of a
/// clock that is ahead.
fn begin_period_early(service: &Instance) {
    service.pass_ms(3 * 3_600_000 - 5 * 60_000 + 30_000);
    let early = r#"{"player":"early","score":1,"occurred_at":"2026-07-20T00:00:01Z"}"#;
    let taken = service.call("POST", &format!("{WEEK}/scores"), early).json();
    assert_eq!(taken["period"], "2026-07-20T00:00:00Z");
}

#[test]
fn a_change_of_the_reset_that_drops_a_period_begun_early_is_refused() {
    let assert_refused = |service: &Instance, path: &str, document: &str| {
        let answer = service.call("PUT", path, document);
        let (status, kind, place) = answer.problem();
        assert_eq!((status, kind.as_str()), (422, "validation"));
        assert!(place == "#/reset" || place == "#", "{place}");
        let words =
            "the period 2026-07-20T00:00:00Z, which a clock that is ahead has begun, would be left out";
        assert!(answer.text.contains(words), "{}", answer.text);
        assert_eq!(list_players(service, "2026-07-20T00:00:00Z"), ["early"]);
    };
    let monthly = r#"{"reset":{"cron":"0 0 1 * *","time_zone":"UTC"}}"#;
    let rebuild = format!("{WEEK}?rebuild=true");
    let daily = create_service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    begin_period_early(&daily);
    assert_refused(&daily, &rebuild, monthly);
    // Half a minute later, the period is the current one.
    daily.pass_ms(30_000);
    daily.call("PUT", &rebuild, monthly).expect_status(200);
    daily.pass_ms(5 * DAY_MS);
    assert_eq!(list_players(&daily, "current"), ["early"]);

    // Without a rebuild, both the old and the new reset begin this period at the end of the current one.
    let daily = create_service(r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#);
    begin_period_early(&daily);
    daily.call("PUT", WEEK, monthly).expect_status(200);
    assert_eq!(list_players(&daily, "2026-07-20T00:00:00Z"), ["early"]);

    // The early period belongs to a pending change, which the next change would drop.
    let pending = create_service("{}");
    pending.call("PUT", WEEK, WEEKLY).expect_status(200);
    begin_period_early(&pending);
    assert_refused(&pending, WEEK, r#"{"reset":null}"#);
    assert_refused(&pending, WEEK, monthly);
}

#[test]
fn a_stored_change_is_announced_even_if_a_period_cannot_be_reordered() {
    let service = Region::with_options().announcing().instance();
    service.call("PUT", WEEK, WEEKLY).expect_status(201);
    begin_period_early(&service);
    service.settle();
    let early = PeriodId::parse("2026-07-20T00:00:00Z").unwrap();
    let refuse_reorder = |why| *service.store.reorder_refusal.borrow_mut() = Some((early.clone(), why));
    let rebuild = format!("{WEEK}?rebuild=true");
    let latest = WEEKLY.replace(r#"{"reset""#, r#"{"ties":"latest","reset""#);
    for (why, status, kind) in [
        (PutRefusal::Unfinished, 503, "rebuilding"),
        (PutRefusal::TooManyEntries, 409, "rebuild-too-large"),
    ] {
        refuse_reorder(why);
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
    // The same request reorders the period when that is possible.
    service.store.reorder_refusal.take();
    service.call("PUT", &rebuild, &latest).expect_status(200);
    service.pass_ms(60_000);
    submit_score(&service, "ann", 1);
    assert_eq!(list_players(&service, "current"), ["ann", "early"]);
}

#[test]
fn a_stored_change_succeeds_even_if_another_change_follows_it() {
    let service = create_service(WEEKLY);
    begin_period_early(&service);
    let early = PeriodId::parse("2026-07-20T00:00:00Z").unwrap();
    let overtaken = PutRefusal::VersionMismatch { current: Some(9) };
    *service.store.reorder_refusal.borrow_mut() = Some((early, overtaken));
    let stored = service.call("GET", WEEK, "");
    let latest = WEEKLY.replace(r#"{"reset""#, r#"{"ties":"latest","reset""#);
    let guarded = [("if-match", stored.header("etag"))];
    let put = service.call_with("PUT", &format!("{WEEK}?rebuild=true"), &latest, &guarded);
    put.expect_status(200);
}

#[test]
fn a_reset_can_change_only_while_its_history_has_room() {
    let build_document = |minute: usize| {
        format!(r#"{{"keep_periods":1000,"reset":{{"cron":"{minute} * * * *","time_zone":"UTC"}}}}"#)
    };
    let service = create_service(&build_document(0));
    for minute in 1..=32 {
        service.pass_ms(7_200_000);
        service
            .call("PUT", WEEK, &build_document(minute))
            .expect_status(200);
    }
    service.pass_ms(7_200_000);
    let refused = service.call("PUT", WEEK, &build_document(33)).problem();
    assert_eq!((refused.0, refused.2.as_str()), (422, "#/reset"));
    let fewer = build_document(33).replace("1000", "12");
    service.call("PUT", WEEK, &fewer).expect_status(200);
}
