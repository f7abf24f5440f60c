//! Tests of the versions of the API: the events that are read for a drift, and the headers of a deprecated
//! version.

use leaderboard_api::Deprecation;
use leaderboard_core::Timestamp;
use leaderboard_test_support::ADMIN_KEY;
use serde_json::json;

use crate::in_process::environment::{Answer, Instance, Region};

const ENTRIES: &str = "/leaderboards/goals/entries";

/// Creates a service whose leaderboard `goals` has the players `p1` to `p25`, with the scores 1 to 25.
fn create_service() -> Instance {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let scores: Vec<String> = (1..=25)
        .map(|n| format!(r#"{{"player":"p{n}","score":{n},"metadata":{{"n":{n}.10}}}}"#))
        .collect();
    let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
    service
        .call("POST", "/leaderboards/goals/scores", &body)
        .expect_status(207);
    service
}

fn get_v2(service: &Instance, path: &str) -> Answer {
    service.send("GET", &format!("/api/v2{path}"), "", &[("x-api-key", ADMIN_KEY)])
}

fn submit_score(service: &Instance, body: &str) {
    service
        .call("POST", "/leaderboards/goals/scores", body)
        .expect_status(200);
}

#[test]
fn only_as_many_events_are_read_as_the_drift_needs() {
    let service = create_service();
    let first = service.call("GET", &format!("{ENTRIES}?limit=1"), "").json();
    let cursor = first["next"].as_str().unwrap();
    let submit = |scores: &[String]| {
        for chunk in scores.chunks(500) {
            let body = format!(r#"{{"scores":[{}]}}"#, chunk.join(","));
            let answer = service.call("POST", "/leaderboards/goals/scores", &body);
            answer.expect_status(207);
        }
    };
    // Reads the next page. Returns its drift, and how many events were read for it.
    let read_drift = || {
        let before = service.store.events_read.get();
        let page = get_v2(&service, &format!("{ENTRIES}?limit=1&cursor={cursor}")).json();
        let snapshot = page["page"]["snapshot"].clone();
        (snapshot, service.store.events_read.get() - before)
    };
    // Submissions that change no entry do not count in the version of the list, so only one event is read.
    submit_score(&service, r#"{"player":"p1","score":24}"#);
    submit(&vec![r#"{"player":"p2","score":1}"#.into(); 200]);
    let (snapshot, events) = read_drift();
    assert_eq!((&snapshot["drifted"], events), (&json!(true), 1));
    // An entry of the page changes, and more other players change than a drift lists. Then more events cannot
    // change the result.
    let others: Vec<String> = (0..600)
        .map(|n| format!(r#"{{"player":"q{n}","score":0}}"#))
        .collect();
    let started = service.call("GET", &format!("{ENTRIES}?limit=1"), "").json();
    let cursor = started["next"].as_str().unwrap();
    submit_score(
        &service,
        r#"{"player":"p3","score":24,"occurred_at":"2026-07-19T20:00:00Z"}"#,
    );
    submit(&others);
    let before = service.store.events_read.get();
    let page = get_v2(&service, &format!("{ENTRIES}?limit=1&cursor={cursor}")).json();
    assert_eq!(page["data"][0]["player"]["id"], "p3");
    assert_eq!(
        page["page"]["snapshot"],
        json!({"version": started["version"], "drifted": true, "touched_ranks": [2], "moved_past": null, "gone": null})
    );
    // Of the 801 events, the 200 that changed no entry are read, and then 300 of the others, in reads of 100.
    assert_eq!(service.store.events_read.get() - before, 500);
    // The versions show that there are too many events, so no event is read.
    submit(&others);
    submit(&[3, 4].map(|n| format!(r#"{{"player":"p2","score":{n}}}"#)));
    let before = service.store.events_read.get();
    let page = get_v2(&service, &format!("{ENTRIES}?limit=1&cursor={cursor}")).json();
    assert_eq!(page["page"]["snapshot"]["touched_ranks"], json!(null));
    assert_eq!(service.store.events_read.get() - before, 0);
}

#[test]
fn every_response_of_a_deprecated_version_has_the_deprecation_headers() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let deprecation = Deprecation::new(at("2027-01-01T00:00:00Z"), Some(at("2027-07-01T00:00:00Z")), None);
    let service = Region::with_options()
        .settings(|settings| settings.deprecation = deprecation)
        .instance();
    for (method, path, status) in [
        ("GET", "/api/v1/health/live", 200),
        ("GET", "/api/v1/leaderboards/x/entries", 404),
        ("GET", "/api/v1/nothing", 404),
        ("HEAD", "/api/health/live", 200),
    ] {
        let answer = service.send(method, path, "", &[]);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("deprecation"), "@1798761600", "{path}");
        assert_eq!(answer.header("sunset"), "Thu, 01 Jul 2027 00:00:00 GMT");
    }
    let link = service.send("GET", "/api/v1/health/live", "", &[]);
    assert_eq!(
        link.header("link"),
        "</api/v2/health/live>; rel=\"successor-version\""
    );
    for path in ["/api/v2/health/live", "/nothing"] {
        assert_eq!(
            service.send_at("GET", path, &[]).header("deprecation"),
            "",
            "{path}"
        );
    }
}
