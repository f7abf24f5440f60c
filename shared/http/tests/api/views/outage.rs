//! What is shown while the store cannot be reached, and what is not.

use super::{TOP, score, service, status, top};
use crate::service::Service;

/// Long enough for an answer to be good without the store alone.
const SPENT_MS: i64 = 11_000;

fn without_store(service: &Service, path: &str) -> u16 {
    service.store.down.set(true);
    let status = service.anonymous("GET", path).status;
    // By another instance as well, which has the region's answers alone.
    assert_eq!(service.beside().anonymous("GET", path).status, status, "{path}");
    service.store.down.set(false);
    service.pass_ms(2_000);
    status
}

#[test]
fn what_may_not_be_shown_any_more_is_not_shown_without_the_store_either() {
    let one = format!("{TOP}/p25");
    let window = format!("{TOP}/p25/around");
    for (method, path, body) in [
        ("PATCH", "/leaderboards/goals", r#"{"access":{"read":"private"}}"#),
        ("DELETE", "/leaderboards/goals", ""),
        ("DELETE", "/leaderboards/goals/scores/p25", ""),
        ("PUT", "/players/p25/ban", ""),
    ] {
        let service = service();
        for view in [TOP, &one, &window] {
            assert_eq!(service.anonymous("GET", view).status, 200);
        }
        score(&service, "new", 99);
        service.pass_ms(SPENT_MS);
        for view in [TOP, &one, &window] {
            assert_eq!(without_store(&service, view), 200, "scores do not void");
        }
        assert!(service.call(method, path, body).status < 300);
        service.pass_ms(100);
        for view in [TOP, &one, &window] {
            assert_eq!(without_store(&service, view), 503, "{method} {path}: {view}");
        }
    }
}

#[test]
fn another_region_that_hears_of_it_does_not_show_it_either() {
    let service = service();
    let far = service.elsewhere();
    top(&far);
    service.call("PUT", "/players/p25/ban", "");
    let message = r#"{"tenant":"default","leaderboards":[],"void":true}"#;
    let heard = leaderboard_http::heard(&far, message.as_bytes());
    assert_eq!(futures::executor::block_on(heard), Ok(()));
    far.pass_ms(100);
    assert_eq!(without_store(&far, TOP), 503);
}

#[test]
fn what_the_store_says_is_not_there_is_forgotten() {
    let service = service();
    let path = format!("{TOP}/p25");
    assert_eq!(service.anonymous("GET", &path).status, 200);
    // The store changed behind this region's back, and no message came.
    let far = service.elsewhere();
    far.call("DELETE", "/leaderboards/goals/scores/p25", "");
    service.pass_ms(SPENT_MS);
    assert_eq!(service.anonymous("GET", &path).status, 404);
    assert_eq!(without_store(&service, &path), 503);
}

#[test]
fn in_an_outage_nobody_waits_to_find_out_whether_it_is_over() {
    let service = service();
    top(&service);
    service.pass_ms(SPENT_MS);
    service.store.down.set(true);
    let found_out = top(&service);
    assert_eq!(
        status(&found_out),
        "fwd=stale; fwd-status=503; detail=stale-if-error"
    );
    service.pass_ms(1_500);
    let asked = service.store.reads.get();
    let answer = futures::executor::block_on(service.answer(Service::get(TOP, &[])));
    assert_eq!(
        (answer.status, status(&answer), service.store.reads.get()),
        (200, "hit; ttl=-7; detail=stale-if-error", asked)
    );
    service.settle();
    assert_eq!(service.store.reads.get(), asked + 1, "after the response");
    service.store.down.set(false);
    service.pass_ms(1_500);
    top(&service);
    assert!(status(&top(&service)).starts_with("hit; ttl=5"), "it is over");
}

#[test]
fn in_an_outage_the_regions_answer_is_looked_for_first() {
    let service = service();
    let other = service.beside();
    top(&service);
    service.pass_ms(60_000);
    top(&other);
    service.pass_ms(SPENT_MS);
    service.store.down.set(true);
    assert_eq!(top(&service).header("age"), "11", "not the older one in memory");
}
