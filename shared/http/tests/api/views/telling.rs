//! What caches on the way are told.

use super::{TOP, score, service, status, top};
use crate::service::{KEY, Service};

fn cdn(service: &Service, headers: &[(&str, &str)]) -> (String, String) {
    let answer = service.raw("GET", TOP, "", headers);
    let of = |name| answer.header(name).to_owned();
    (of("cache-control"), of("cdn-cache-control"))
}

#[test]
fn shared_caches_keep_what_the_address_alone_tells() {
    let service = service();
    let kept = "max-age=5, stale-while-revalidate=5, stale-if-error=300";
    let public = ("no-cache".to_owned(), kept.to_owned());
    let private = ("private, no-cache".to_owned(), String::new());
    assert_eq!(cdn(&service, &[]), public);
    assert_eq!(cdn(&service, &[("x-tenant-id", "default")]), private);
    assert_eq!(cdn(&service, &[("x-api-key", KEY)]), private);
    let unversioned = service.at(
        "GET",
        "/api/leaderboards/goals/entries",
        "",
        &[("api-version", "1")],
    );
    assert_eq!(unversioned.header("cache-control"), "private, no-cache");
    assert_eq!(unversioned.header("cache-groups"), "");
}

#[test]
fn shared_caches_keep_nothing_while_a_leaderboard_changes() {
    let service = service();
    top(&service);
    score(&service, "new", 99);
    for expected in ["fwd=stale; stored", "hit; ttl=0"] {
        let answer = top(&service);
        assert_eq!(
            (status(&answer), answer.header("cdn-cache-control")),
            (expected, "max-age=0, stale-if-error=300")
        );
    }
}

#[test]
fn shared_caches_keep_nothing_beyond_the_end_of_a_period() {
    let service = service();
    let body = r#"{"reset":{"cron":"5 21 * * *","time_zone":"UTC"},"cache":{"lifetime_ms":3600000}}"#;
    service.call("PUT", "/leaderboards/daily", body);
    service.pass_ms(2_000);
    // It is a little after 21:04:03 by then.
    let answer = service.anonymous("GET", "/leaderboards/daily/entries");
    let told = answer.header("cdn-cache-control");
    assert_eq!(told, "max-age=56, stale-while-revalidate=0, stale-if-error=0");
}

#[test]
fn writes_say_what_caches_drop() {
    let service = service();
    let told = |method: &str, path: &str, body: &str| {
        let answer = service.call(method, path, body);
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        answer.header("cache-group-invalidation").to_owned()
    };
    let goals = r#""default/goals""#;
    let scores = "/leaderboards/goals/scores";
    assert_eq!(told("POST", scores, r#"{"player":"new","score":99}"#), goals);
    assert_eq!(told("POST", scores, r#"{"player":"new","score":1}"#), "", "kept");
    let both = r#"{"scores":[{"leaderboards":["goals","secret"],"player":"x","score":5}]}"#;
    assert_eq!(
        told("POST", "/scores", both),
        r#""default/goals", "default/secret""#
    );
    assert_eq!(told("DELETE", &format!("{scores}/new"), ""), goals);
    assert_eq!(told("PUT", "/players/p1/ban", ""), r#""default""#);
    assert_eq!(told("DELETE", "/players/p1/ban", ""), r#""default""#);
    assert_eq!(
        told("PATCH", "/leaderboards/goals", r#"{"title":"Goals"}"#),
        goals
    );
    assert_eq!(told("PUT", "/leaderboards/new", "{}"), r#""default/new""#);
    assert_eq!(told("DELETE", "/leaderboards/goals", ""), goals);
    let refused = service.call("DELETE", "/leaderboards/goals", "");
    assert_eq!(refused.status, 404);
    assert_eq!(refused.header("cache-group-invalidation"), "");
    assert_eq!(
        service.anonymous("GET", TOP).header("cache-group-invalidation"),
        ""
    );
}
