//! Cached responses: hits, stale responses, and failures of the store and of the key-value store.

mod generations;
mod invalidation;
mod micro_cache;
mod outage;
mod private_leaderboards;
mod readers;
mod shared_caches;
mod single_flight;

use serde_json::Value;

use crate::in_process::environment::{Answer, CHANGES_FOR_MS, Instance};

const TOP: &str = "/leaderboards/goals/entries";
/// The same question under an address that names the tenant, so that shared caches may store the answer.
const SHARED_TOP: &str = "/leaderboards/goals/entries?tenant=default";

fn service() -> Instance {
    with_policy("{}")
}

fn with_policy(cache: &str) -> Instance {
    let service = Instance::new();
    let board = |id: &str, fields: &str| {
        let answer = service.call("PUT", &format!("/leaderboards/{id}"), fields);
        assert_eq!(answer.status, 201, "{}", answer.text);
    };
    board("goals", &format!(r#"{{"cache":{cache}}}"#));
    board("secret", r#"{"access":{"read":"private"}}"#);
    for id in ["goals", "secret"] {
        let scores: Vec<String> = (1..=25)
            .map(|n| format!(r#"{{"player":"p{n}","score":{n}}}"#))
            .collect();
        let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
        assert_eq!(
            service
                .call("POST", &format!("/leaderboards/{id}/scores"), &body)
                .status,
            207
        );
    }
    service.settle();
    service.pass_ms(1_000);
    service.store.reads.set(0);
    service
}

fn score(service: &Instance, player: &str, score: i64) {
    let body = format!(r#"{{"player":"{player}","score":{score}}}"#);
    assert_eq!(
        service.call("POST", "/leaderboards/goals/scores", &body).status,
        200
    );
}

fn top(service: &Instance) -> Answer {
    let answer = service.anonymous(TOP);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

fn shared_top(service: &Instance) -> Answer {
    let answer = service.anonymous(SHARED_TOP);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

fn status(answer: &Answer) -> &str {
    let status = answer.header("cache-status");
    status.strip_prefix("edgeboard; ").expect("a cache status")
}

/// The region's keys about one leaderboard.
fn about_goals(service: &Instance) -> Vec<String> {
    let mut about = service.key_value.keys("");
    about.retain(|key| key.contains(":default:goals"));
    about
}

fn first(answer: &Answer) -> Value {
    answer.json()["entries"][0]["player"].clone()
}

#[test]
fn a_hit_reads_nothing_and_has_an_age() {
    let service = service();
    let made = top(&service);
    assert_eq!(status(&made), "fwd=uri-miss; stored");
    assert_eq!(made.header("age"), "", "nobody kept it");
    service.pass_ms(2_500);
    service.store.down.set(true);
    let hit = shared_top(&service);
    assert_eq!((status(&hit), hit.header("age")), ("hit; ttl=2", "3"));
    assert_eq!((&hit.text, service.store.reads.get()), (&made.text, 1));
    assert_eq!(hit.header("cache-control"), "no-cache");
    assert_eq!(
        hit.header("cdn-cache-control"),
        "max-age=5, stale-while-revalidate=5, stale-if-error=300"
    );
    assert_eq!(hit.header("cache-groups"), r#""default", "default/goals""#);
    assert!(hit.header("vary").contains("Accept-Encoding"));
}

#[test]
fn equivalent_requests_share_a_response() {
    let service = service();
    for path in [
        "entries",
        "entries?limit=10",
        "entries?period=current",
        "entries?limit=9",
        "entries?period=all",
        "entries/p1",
        "entries/p2",
        "entries/p1/around",
        "distribution",
        "distribution?buckets=20",
        "distribution?score=5",
    ] {
        assert_eq!(
            service.anonymous(&format!("/leaderboards/goals/{path}")).status,
            200
        );
    }
    let vendor = [("accept", "application/vnd.edgeboard.v1+json")];
    let answer = service.send("GET", TOP, "", &vendor);
    assert_eq!(answer.header("content-type"), vendor[0].1);
    assert!(
        status(&answer).starts_with("hit"),
        "the same bytes by another name"
    );
    assert_eq!(service.key_value.keys("response:").len(), 8);
}

#[test]
fn a_stale_response_is_used_while_it_is_revalidated() {
    let service = service();
    top(&service);
    service.pass_ms(6_000);
    let stale = top(&service);
    assert_eq!(status(&stale), "hit; ttl=-2; detail=stale-while-revalidate");
    assert_eq!(
        (stale.header("age"), service.store.reads.get()),
        ("6", 2),
        "made anew after the response"
    );
    assert_eq!(status(&top(&service)), "hit; ttl=5");
    service.pass_ms(10_000);
    assert_eq!(status(&top(&service)), "fwd=stale; stored");
    assert_eq!(service.store.reads.get(), 3);
}

#[test]
fn a_change_shows_within_two_windows_in_the_region() {
    let service = service();
    let other = service.beside();
    assert_eq!(
        (first(&top(&service)), first(&top(&other))),
        ("p25".into(), "p25".into())
    );
    score(&service, "new", 99);
    for reader in [&service, &other] {
        let answer = top(reader);
        assert_eq!(first(&answer), "new", "{}", status(&answer));
    }
    // No cached response is from before the change, and the next ones have their whole lifetime.
    service.pass_ms(CHANGES_FOR_MS);
    assert_eq!(status(&top(&other)), "fwd=stale; stored");
    let reads = service.store.reads.get();
    service.pass_ms(2_000);
    assert!(status(&top(&other)).starts_with("hit"));
    assert_eq!(service.store.reads.get(), reads);
}

#[test]
fn a_score_that_changes_nothing_invalidates_nothing() {
    let service = service();
    top(&service);
    score(&service, "p25", 1);
    assert!(status(&top(&service)).starts_with("hit"));
}

#[test]
fn removals_bans_and_configurations_show_too() {
    let service = service();
    top(&service);
    service.call("DELETE", "/leaderboards/goals/scores/p25", "");
    assert_eq!(first(&top(&service)), "p24");
    service.call("PUT", "/players/p24/ban", "");
    assert_eq!(first(&top(&service)), "p23");
    service.call("DELETE", "/players/p24/ban", "");
    assert_eq!(first(&top(&service)), "p24");
    service.call("PATCH", "/leaderboards/goals", r#"{"access":{"read":"private"}}"#);
    assert_eq!(service.anonymous(TOP).problem().1, "leaderboard-not-found");
}

#[test]
fn a_new_instance_uses_the_responses_of_its_region() {
    let service = service();
    let made = top(&service);
    let found = top(&service.beside());
    assert_eq!(status(&found), "hit; ttl=5; detail=region");
    assert_eq!((&found.text, service.store.reads.get()), (&made.text, 1));
}

#[test]
fn without_the_store_a_stale_response_is_used() {
    let service = service();
    let made = top(&service);
    service.pass_ms(60_000);
    service.store.down.set(true);
    for reader in [&service, &service.beside()] {
        let stale = shared_top(reader);
        assert_eq!(status(&stale), "hit; ttl=-55; detail=stale-if-error");
        assert_eq!(
            (stale.header("age"), stale.header("cdn-cache-control")),
            ("60", "no-store")
        );
        assert_eq!(stale.text, made.text);
    }
    // What was never made cannot be given, and the truth is not replaced.
    assert_eq!(
        service.anonymous("/leaderboards/goals/entries?limit=3").status,
        503
    );
    assert_eq!(
        service
            .send("GET", TOP, "", &[("cache-control", "no-cache")])
            .status,
        503
    );
    service.pass_ms(300_000);
    assert_eq!(service.anonymous(TOP).status, 503);
    service.store.down.set(false);
    assert!(status(&top(&service)).starts_with("fwd="));
}

#[test]
fn a_store_out_of_reach_is_asked_once() {
    let service = service();
    top(&service);
    service.pass_ms(60_000);
    service.store.down.set(true);
    let asked = || (service.store.document_reads.get(), service.store.reads.get());
    let before = asked();
    for _ in 0..10 {
        top(&service);
    }
    // The read of documents found the outage for all instances.
    assert_eq!(asked(), (before.0 + 1, before.1));
}

#[test]
fn a_damaged_entry_is_fetched_again() {
    let service = service();
    let made = top(&service);
    let [key] = service.key_value.keys("response:").try_into().unwrap();
    let good = service.key_value.entries.borrow()[&key].clone();
    let mut older = good.clone();
    older[0] = 0;
    let mut other = good.clone();
    let at = other.windows(4).position(|part| part == b"goal").unwrap();
    other[at] = b'c';
    for bad in [
        Vec::new(),
        b"garbage".to_vec(),
        good[..good.len() / 2].to_vec(),
        older,
        other,
    ] {
        service.key_value.entries.borrow_mut().insert(key.clone(), bad);
        let answer = top(&service.beside());
        assert_eq!(
            (status(&answer), &answer.text),
            ("fwd=uri-miss; stored", &made.text)
        );
        assert_eq!(service.key_value.entries.borrow()[&key].len(), good.len());
    }
}

#[test]
fn without_the_key_value_store_requests_are_answered() {
    let service = service();
    service.key_value.down.set(true);
    assert_eq!(status(&top(&service)), "fwd=uri-miss; stored");
    // No tombstone can be read, so the response is fresh for one window only.
    service.pass_ms(100);
    assert_eq!(status(&top(&service)), "fwd=stale; stored");
    score(&service, "new", 99);
    assert_eq!(first(&top(&service)), "new");
}

#[test]
fn the_region_keeps_a_bounded_number_of_answers_and_none_of_a_leaderboard_that_is_gone() {
    let service = service();
    for limit in 1..=300 {
        // The operator's key has no limit of its own.
        service.call("GET", &format!("{TOP}?limit={limit}"), "");
        let player = limit % 25 + 1;
        service.call("GET", &format!("{TOP}/p{player}/around?limit={limit}"), "");
    }
    let slots = service.key_value.keys("response:default:goals:").len();
    assert!((100..=262).contains(&slots), "{slots}");
    assert_eq!(service.call("DELETE", "/leaderboards/goals", "").status, 204);
    assert_eq!(about_goals(&service), [""; 0]);
    assert_eq!(service.anonymous(TOP).problem().1, "leaderboard-not-found");
}

#[test]
fn a_leaderboard_may_cache_nothing() {
    let service = with_policy(r#"{"lifetime_ms":0}"#);
    for n in 1..4 {
        let answer = shared_top(&service);
        assert_eq!(
            (status(&answer), answer.header("cdn-cache-control")),
            ("fwd=uri-miss", "no-store")
        );
        assert_eq!(service.store.reads.get(), n);
    }
}

#[test]
fn no_cache_reads_the_store() {
    let service = service();
    top(&service);
    let answer = service.send("GET", TOP, "", &[("cache-control", "no-cache")]);
    assert_eq!(status(&answer), "fwd=request; stored");
    assert_eq!(service.store.reads.get(), 2);
    assert_eq!(status(&top(&service.beside())), "hit; ttl=5; detail=region");
    service.store.down.set(true);
    let refused = service.send("GET", TOP, "", &[("cache-control", "no-cache")]);
    assert_eq!(refused.status, 503);
}

#[test]
fn a_response_about_the_current_period_ends_with_it() {
    let service = service();
    let body = r#"{"reset":{"cron":"5 21 * * *","time_zone":"UTC"},"cache":{"lifetime_ms":3600000}}"#;
    service.call("PUT", "/leaderboards/daily", body);
    service.pass_ms(100);
    let read = || service.anonymous("/leaderboards/daily/entries");
    let before = read().json()["period"]["id"].clone();
    assert!(status(&read()).starts_with("hit; ttl="));
    service.pass_ms(60_000);
    let after = read();
    assert_eq!(status(&after), "fwd=stale; stored");
    assert_ne!(after.json()["period"]["id"], before);
}
