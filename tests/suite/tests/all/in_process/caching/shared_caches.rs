//! Headers for shared caches.

use leaderboard_test_support::ADMIN_KEY;

use super::{SHARED_TOP, TOP, score, service, shared_top, status, top};
use crate::in_process::environment::{Answer, Instance, Region};

fn cdn(service: &Instance, path: &str, headers: &[(&str, &str)]) -> (String, String) {
    let answer = service.send("GET", path, "", headers);
    let of = |name| answer.header(name).to_owned();
    (of("cache-control"), of("cdn-cache-control"))
}

fn public() -> (String, String) {
    let kept = "max-age=5, stale-while-revalidate=5, stale-if-error=300";
    ("no-cache".to_owned(), kept.to_owned())
}

fn private() -> (String, String) {
    ("private, no-cache".to_owned(), String::new())
}

/// A service with a public leaderboard.
fn with_settings(origins: &str, cdn_key_headers: &str) -> Instance {
    let options = Region::with_options().settings(|settings| {
        settings.cors_origins = origins.parse().unwrap();
        settings.cdn_key_headers = cdn_key_headers.parse().unwrap();
    });
    let service = options.instance();
    service.call("PUT", "/leaderboards/goals", "{}");
    service.pass_ms(2_000);
    service
}

#[test]
fn shared_caches_keep_what_the_address_alone_tells() {
    let service = service();
    assert_eq!(cdn(&service, SHARED_TOP, &[]), public());
    assert_eq!(cdn(&service, SHARED_TOP, &[("x-tenant-id", "default")]), public());
    assert_eq!(cdn(&service, SHARED_TOP, &[("x-api-key", ADMIN_KEY)]), private());
    // A request that names a tenant in a header must not get the response that is stored for requests without the header.
    assert_eq!(cdn(&service, TOP, &[]), private());
    assert_eq!(cdn(&service, TOP, &[("x-tenant-id", "default")]), private());
    let unversioned = service.send(
        "GET",
        "/api/leaderboards/goals/entries?tenant=default",
        "",
        &[("api-version", "1")],
    );
    assert_eq!(unversioned.header("cache-control"), "private, no-cache");
    assert_eq!(unversioned.header("cache-groups"), "");
}

#[test]
fn shared_caches_keep_what_their_key_tells_apart() {
    let app = ("origin", "https://app.example");
    for (origins, keyed, path, stored) in [
        ("", "x-tenant-id", TOP, true),
        ("*", "", SHARED_TOP, true),
        ("*", "", TOP, false),
        ("https://app.example", "", SHARED_TOP, false),
        ("https://app.example", "x-tenant-id", TOP, false),
        ("https://app.example", "origin", SHARED_TOP, true),
        ("https://app.example", "origin, x-tenant-id", TOP, true),
    ] {
        let service = with_settings(origins, keyed);
        let expected = if stored { public() } else { private() };
        for headers in [&[][..], &[app], &[("origin", "https://other.example")]] {
            for again in 0..3 {
                let told = cdn(&service, path, headers);
                assert_eq!(told, expected, "{origins} {keyed} {path} {headers:?} {again}");
            }
        }
    }
}

/// A shared cache whose key lacks the header would answer other clients with strings.
#[test]
fn shared_caches_keep_integers_as_strings_where_their_key_tells_them_apart() {
    let strings = ("api-integers", "string");
    for (keyed, stored) in [
        ("", false),
        ("origin, x-tenant-id", false),
        ("api-integers", true),
        ("API-Integers, Origin", true),
    ] {
        let service = with_settings("", keyed);
        let expected = if stored { public() } else { private() };
        for again in 0..3 {
            let told = cdn(&service, SHARED_TOP, &[strings]);
            assert_eq!(told, expected, "{keyed} {again}");
            assert_eq!(cdn(&service, SHARED_TOP, &[]), public(), "{keyed} {again}");
        }
    }
}

/// A response with the limits of one reader is private.
#[test]
fn what_is_not_for_shared_caches_is_private() {
    let service = service();
    for path in [
        "/leaderboards/goals/entries?players=p1,p2",
        "/leaderboards/goals/entries?tenant=default&players=p1",
        "/leaderboards/goals/summary?player=p1",
        "/leaderboards/goals/summary?tenant=default&player=p1",
    ] {
        let answer = service.anonymous(path);
        assert_eq!(
            (answer.status, cdn(&service, path, &[])),
            (200, private()),
            "{path}"
        );
    }
    for (path, document) in [
        ("/tenants/acme", "{}"),
        ("/limits", r#"{"policies":{"client":{"quota":10000}}}"#),
    ] {
        assert_eq!(service.call("PUT", path, document).status, 201, "{path}");
        let read = service.call("GET", path, "");
        assert_eq!(read.header("cache-control"), "private, no-cache", "{path}");
        let tag = [("if-none-match", read.header("etag"))];
        let unchanged = service.call_with("GET", path, "", &tag);
        assert_eq!(
            (unchanged.status, unchanged.header("cache-control")),
            (304, "private, no-cache"),
            "{path}"
        );
    }
}

#[test]
fn the_address_names_the_tenant() {
    let service = service();
    let other = "/leaderboards/goals/entries?limit=1&tenant=other";
    assert_eq!(service.anonymous(other).problem().1, "leaderboard-not-found");
    let made = service.call_with("PUT", "/leaderboards/goals", "{}", &[("x-tenant-id", "other")]);
    assert_eq!(made.status, 201);
    assert_eq!(service.anonymous(other).json()["count"], 0);
    assert_eq!(service.anonymous(TOP).json()["count"], 25);
    let both = service.send("GET", other, "", &[("x-tenant-id", "default")]);
    assert_eq!(
        both.problem(),
        (400, "invalid-header".into(), "X-Tenant-ID".into())
    );
    let elsewhere = service.call("GET", "/tenants?tenant=other", "");
    assert_eq!(
        elsewhere.problem(),
        (400, "invalid-parameter".into(), "tenant".into())
    );
}

/// A shared cache gives what it stored to others.
#[test]
fn what_a_shared_cache_may_store_carries_nothing_of_one_request() {
    let service = service();
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let own = |answer: &Answer| {
        (
            answer.headers.contains_key("ratelimit"),
            answer.headers.contains_key("x-request-id"),
        )
    };
    for again in 0..4 {
        // The third and the fourth are given again within the instance.
        let shared = service.send("GET", SHARED_TOP, "", &[("traceparent", parent)]);
        assert_eq!((shared.status, own(&shared)), (200, (false, false)), "{again}");
        assert!(shared.headers.contains_key("ratelimit-policy"));
        assert!(!shared.text.contains("0af7651916cd43dd8448eb211c80319c"));
        let tag = [("if-none-match", shared.header("etag"))];
        let unchanged = service.send("GET", SHARED_TOP, "", &tag);
        assert_eq!(
            (unchanged.status, own(&unchanged)),
            (304, (false, false)),
            "{again}"
        );
        let private = service.anonymous(TOP);
        assert_eq!((private.status, own(&private)), (200, (true, true)), "{again}");
    }
    // Each request is charged, and no cache stores the refusal.
    let refused = loop {
        let answer = service.send("GET", SHARED_TOP, "", &[("spin-client-addr", "192.0.2.1:9")]);
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!((refused.status, own(&refused)), (429, (true, true)));
    assert_eq!(refused.header("cache-control"), "no-store");
}

#[test]
fn shared_caches_keep_nothing_while_a_leaderboard_changes() {
    let service = service();
    top(&service);
    score(&service, "new", 99);
    for expected in ["fwd=stale; stored", "hit; ttl=0"] {
        let answer = shared_top(&service);
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
    let answer = service.anonymous("/leaderboards/daily/entries?tenant=default");
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
    assert_eq!(service.anonymous(TOP).header("cache-group-invalidation"), "");
}
