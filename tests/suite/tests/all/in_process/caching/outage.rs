//! Cached responses while the store is unavailable or hangs.

use super::{TOP, score, service, status, top};
use crate::in_process::environment::{Instance, request};

/// Long enough for an answer to be good without the store alone.
const SPENT_MS: i64 = 11_000;

fn without_store(service: &Instance, path: &str) -> u16 {
    service.store.down.set(true);
    let status = service.anonymous(path).status;
    // By another instance as well, which has the region's answers alone.
    assert_eq!(service.beside().anonymous(path).status, status, "{path}");
    service.store.down.set(false);
    service.pass_ms(2_000);
    status
}

#[test]
fn a_removed_or_private_response_is_not_used_without_the_store() {
    let one = format!("{TOP}/p25");
    let window = format!("{TOP}/p25/around");
    for (method, path, body) in [
        ("PATCH", "/leaderboards/goals", r#"{"access":{"read":"private"}}"#),
        ("DELETE", "/leaderboards/goals", ""),
        ("DELETE", "/leaderboards/goals/scores/p25", ""),
        ("PUT", "/players/p25/ban", ""),
    ] {
        let service = service();
        for read in [TOP, &one, &window] {
            assert_eq!(service.anonymous(read).status, 200);
        }
        score(&service, "new", 99);
        service.pass_ms(SPENT_MS);
        for read in [TOP, &one, &window] {
            assert_eq!(without_store(&service, read), 200, "scores do not void");
        }
        assert!(service.call(method, path, body).status < 300);
        service.pass_ms(100);
        for read in [TOP, &one, &window] {
            assert_eq!(without_store(&service, read), 503, "{method} {path}: {read}");
        }
    }
}

#[test]
fn a_void_message_removes_responses_in_another_region() {
    let service = service();
    let far = service.elsewhere();
    top(&far);
    service.call("PUT", "/players/p25/ban", "");
    let message = r#"{"tenant":"default","leaderboards":[],"void":true}"#;
    let apply_change_message = leaderboard_responses::apply_change_message(&far, message.as_bytes());
    assert_eq!(futures::executor::block_on(apply_change_message), Ok(()));
    far.pass_ms(100);
    assert_eq!(without_store(&far, TOP), 503);
}

#[test]
fn a_response_is_removed_when_the_store_answers_404() {
    let service = service();
    let path = format!("{TOP}/p25");
    assert_eq!(service.anonymous(&path).status, 200);
    // The store changed behind this region's back, and no message came.
    let far = service.elsewhere();
    far.call("DELETE", "/leaderboards/goals/scores/p25", "");
    service.pass_ms(SPENT_MS);
    assert_eq!(service.anonymous(&path).status, 404);
    assert_eq!(without_store(&service, &path), 503);
}

#[test]
fn in_an_outage_the_check_for_its_end_runs_after_the_response() {
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
    let answer = futures::executor::block_on(service.respond(request("GET", TOP, "", &[])));
    assert_eq!(
        (answer.status, status(&answer), service.store.reads.get()),
        (200, "hit; ttl=-7; detail=stale-if-error", asked)
    );
    let probes = service.store.probes.get();
    service.settle();
    let (reads, probed) = (service.store.reads.get(), service.store.probes.get());
    assert_eq!(
        (reads, probed),
        (asked, probes + 1),
        "a sign of life, after the response"
    );
    service.store.down.set(false);
    service.pass_ms(1_500);
    top(&service);
    assert!(status(&top(&service)).starts_with("hit; ttl=5"), "it is over");
}

#[test]
fn in_an_outage_the_key_value_tier_is_read_before_stale_memory() {
    let service = service();
    let other = service.beside();
    top(&service);
    service.pass_ms(60_000);
    top(&other);
    service.pass_ms(SPENT_MS);
    service.store.down.set(true);
    assert_eq!(top(&service).header("age"), "11", "not the older one in memory");
}

/// What a request waits for, in milliseconds, and what it asks of the store before its response.
fn cost(service: &Instance, path: &str) -> (u16, i64, u32) {
    let (began, asked) = (service.now_ms(), questions(service));
    let answer = futures::executor::block_on(service.respond(request("GET", path, "", &[])));
    (
        answer.status,
        service.now_ms() - began,
        questions(service) - asked,
    )
}

/// How often the store was asked anything.
fn questions(service: &Instance) -> u32 {
    let store = &service.store;
    store.reads.get()
        + store.board_reads.get()
        + store.document_reads.get()
        + store.reports.get()
        + store.probes.get()
}

/// A store that is elsewhere, as one is that can hang.
fn remote() -> Instance {
    let service = service();
    service.pauses_take_time.set(true);
    service.store_is_remote.set(true);
    // What is known of the tenant is asked for again, and kept in the region now.
    service.pass_ms(40_000);
    top(&service);
    service.pass_ms(1_000);
    service
}

/// A store that takes questions in and answers none, and a region that has an answer to [`TOP`] which is good without the store
/// alone.
fn hanging() -> Instance {
    let service = remote();
    top(&service);
    service.pass_ms(SPENT_MS);
    service.store.hangs.set(true);
    service
}

#[test]
fn one_request_of_a_region_waits_for_a_store_that_hangs() {
    let service = hanging();
    let (status, waited_ms, _) = cost(&service, TOP);
    assert_eq!(status, 200);
    assert!((500..600).contains(&waited_ms), "{waited_ms}");
    service.settle();
    for _ in 0..3 {
        for instance in [service.clone(), service.beside()] {
            // What an instance knows of its tenant, too, may be too old to be used without asking.
            instance.pass_ms(35_000);
            assert_eq!(cost(&instance, TOP), (200, 0, 0));
            instance.drop_later_work();
        }
        service.pass_ms(-70_000);
    }
}

#[test]
fn tenant_configurations_are_not_read_while_the_store_hangs() {
    let service = hanging();
    let path = format!("{TOP}/p25");
    service.store.hangs.set(false);
    assert_eq!(service.anonymous(&path).status, 200);
    // DocumentCache of documents are too old now.
    service.pass_ms(40_000);
    service.store.hangs.set(true);
    let (status, waited_ms, asked) = cost(&service, &path);
    assert_eq!(status, 200);
    // The documents of the operator are waited for, and nothing after them.
    assert!(waited_ms < 600 && asked == 1, "{waited_ms} {asked}");
    service.settle();
    assert_eq!(cost(&service, &path), (200, 0, 0));
}

#[test]
fn one_request_at_a_time_asks_whether_the_store_is_back_and_the_first_answer_closes_the_breaker() {
    let service = hanging();
    cost(&service, TOP);
    service.settle();
    service.pass_ms(5_000);
    let probes = service.store.probes.get();
    let instances: Vec<_> = (0..10).map(|_| service.beside()).collect();
    for instance in &instances {
        assert_eq!(cost(instance, TOP), (200, 0, 0));
    }
    // They all would, and the first one has begun.
    futures::executor::block_on(futures::future::join_all(
        instances.iter().map(Instance::settle_async),
    ));
    assert_eq!(service.store.probes.get(), probes + 1);
    service.pass_ms(2_000);
    service.store.hangs.set(false);
    top(&instances[3]);
    for instance in &instances {
        let told = top(instance);
        assert!(
            !status(&told).contains("stale"),
            "it is over, and all know: {}",
            status(&told)
        );
    }
}

/// A region that has a response under a period's id, and no copy of the leaderboard's configuration; the path of the response.
fn without_configuration() -> (Instance, String) {
    let service = remote();
    let id = top(&service).json()["period"]["id"].as_str().unwrap().to_owned();
    let path = format!("{TOP}?period={id}");
    assert_eq!(service.anonymous(&path).status, 200);
    service.pass_ms(SPENT_MS);
    let mut kept = service.key_value.entries.borrow_mut();
    kept.retain(|key, _| !key.starts_with("configuration:"));
    drop(kept);
    (service, path)
}

#[test]
fn a_period_id_is_answered_without_the_store_and_without_a_cached_configuration() {
    let (service, path) = without_configuration();
    service.store.hangs.set(true);
    let (status, waited_ms, asked) = cost(&service.beside(), &path);
    assert_eq!((status, asked), (200, 1));
    assert!((500..600).contains(&waited_ms), "{waited_ms}");
    let (service, path) = without_configuration();
    service.store.hangs.set(true);
    let first = service.beside();
    cost(&first, &path);
    first.settle();
    assert_eq!(cost(&service.beside(), &path), (200, 0, 0), "the region knows");
    // A store that refuses connections, and a day that only the configuration names.
    let (service, path) = without_configuration();
    service.store.down.set(true);
    assert_eq!(service.beside().anonymous(&path).status, 200);
    let day = format!("{TOP}?period=2026-07-19");
    let (status, _, asked) = cost(&service.beside(), &day);
    assert_eq!((status, asked), (503, 1));
}

#[test]
fn usage_is_not_reported_to_a_store_that_hangs() {
    let service = hanging();
    cost(&service, TOP);
    service.settle();
    let sent = service.store.reports.get();
    for _ in 0..20 {
        let instance = service.beside();
        for _ in 0..40 {
            assert_eq!(instance.anonymous(TOP).status, 200);
        }
        instance.pass_ms(1_000);
    }
    assert_eq!(
        service.store.reports.get(),
        sent,
        "they would all be taken in when it goes on"
    );
    service.store.hangs.set(false);
    service.pass_ms(5_000);
    let instance = service.beside();
    for _ in 0..40 {
        top(&instance);
    }
    assert!(service.store.reports.get() > sent, "it is asked again");
}

#[test]
fn a_report_of_usage_finds_out_that_the_store_hangs() {
    let service = remote();
    top(&service);
    service.store.hangs.set(true);
    // The responses are fresh, so no request reads the store.
    let sent = service.store.reports.get();
    for _ in 0..10 {
        let instance = service.beside();
        for _ in 0..10 {
            assert_eq!(instance.anonymous(TOP).status, 200);
        }
    }
    assert_eq!(service.store.reports.get(), sent + 1);
}

#[test]
fn the_first_warm_answer_is_kept_before_its_response_goes_out() {
    let service = service();
    let answer = futures::executor::block_on(service.respond(request("GET", TOP, "", &[])));
    assert_eq!(answer.status, 200);
    // The instance ends, and the store goes away.
    service.drop_later_work();
    service.store.down.set(true);
    assert_eq!(service.beside().anonymous(TOP).status, 200);
}

#[test]
fn a_failed_read_of_the_key_value_store_is_repeated() {
    let service = service();
    top(&service);
    service.pass_ms(SPENT_MS);
    service.store.down.set(true);
    service.key_value.fails_once.set(true);
    assert_eq!(service.beside().anonymous(TOP).status, 200);
}
