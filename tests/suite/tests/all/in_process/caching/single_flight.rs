//! How often responses are fetched: single flight, refresh ahead, warm responses.

use futures::executor::block_on;
use futures::future::join_all;
use leaderboard_test_support::ADMIN_KEY;

use super::{TOP, first, score, service, status, top, with_policy};
use crate::in_process::environment::{Instance, SHOWS_AFTER_MS, request, turn};

/// How long an instance does not look for changes.
const TRUST_MS: i64 = 20;

#[test]
fn one_of_simultaneous_requests_reads_the_store() {
    let service = service();
    let other = service.beside();
    let asks = (0..100).map(|n| {
        let instance = if n % 2 == 0 { &service } else { &other };
        instance.respond(request("GET", TOP, "", &[]))
    });
    let answers = block_on(async {
        let (answers, ()) = futures::future::join(join_all(asks), settle_all(&[&service, &other])).await;
        answers
    });
    assert_eq!(service.store.reads.get(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 && answer.text == answers[0].text)
    );
    let collapsed = answers
        .iter()
        .filter(|answer| status(answer).contains("collapsed"))
        .count();
    assert!(collapsed >= 90, "{collapsed}");
}

/// Does what is put off, while requests go on.
async fn settle_all(services: &[&Instance]) {
    for _ in 0..2000 {
        turn().await;
        for service in services {
            service.settle_async().await;
        }
    }
}

#[test]
fn one_of_simultaneous_requests_for_a_missing_entry_reads_the_store() {
    let service = service();
    let asks = (0..16).map(|_| service.respond(request("GET", &format!("{TOP}/nobody"), "", &[])));
    let answers = block_on(join_all(asks));
    assert!(answers.iter().all(|answer| answer.status == 404));
    // It asks again with the current configuration, unless it has just read that.
    assert!(service.store.reads.get() <= 2, "{}", service.store.reads.get());
}

#[test]
fn one_of_simultaneous_requests_finds_the_store_unavailable() {
    let service = service();
    // What is known of the tenant is known already.
    service.anonymous("/leaderboards/goals/distribution");
    let other = service.beside();
    other.anonymous("/leaderboards/secret/entries");
    service.store.down.set(true);
    let asked = || service.store.board_reads.get() + service.store.reads.get();
    let before = asked();
    let path = "/leaderboards/goals/entries?limit=7";
    let asks = (0..16).map(|_| other.respond(request("GET", path, "", &[])));
    let answers = block_on(join_all(asks));
    assert!(answers.iter().all(|answer| answer.status == 503));
    assert_eq!(asked() - before, 1);
}

#[test]
fn simultaneous_requests_with_no_cache_share_reads() {
    let service = service();
    top(&service);
    service.pass_ms(1);
    service.pauses_take_time.set(true);
    let asks = (0..16).map(|_| service.respond(request("GET", TOP, "", &[("cache-control", "no-cache")])));
    let answers = block_on(async {
        let (answers, ()) = futures::future::join(join_all(asks), settle_all(&[&service])).await;
        answers
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    let reads = service.store.reads.get();
    assert!(reads <= 4, "{reads}");
}

#[test]
fn refresh_ahead_fetches_before_the_end_of_a_lifetime() {
    let service = with_policy(r#"{"strategy":"refresh_ahead"}"#);
    top(&service);
    service.pass_ms(4_998);
    assert_eq!(status(&top(&service)), "hit; ttl=0");
    assert_eq!(service.store.reads.get(), 2, "after the response");
    service.pass_ms(100);
    assert_eq!(status(&top(&service)), "hit; ttl=4");
    assert_eq!(status(&top(&service.beside())), "hit; ttl=4; detail=region");
}

#[test]
fn many_writes_fetch_the_warm_responses_a_few_times() {
    let service = with_policy(r#"{"strategy":"write_through"}"#);
    let others = [service.beside(), service.beside(), service.beside()];
    service.pauses_take_time.set(true);
    for n in 0..40 {
        for writer in &others {
            let body = format!(r#"{{"player":"new","score":{}}}"#, 100 + n);
            let request = http::Request::builder()
                .method("POST")
                .uri("/api/v1/leaderboards/goals/scores")
                .header("x-api-key", ADMIN_KEY)
                .header("content-type", "application/json")
                .body(leaderboard_pipeline::Body::Bytes(body.into()))
                .unwrap();
            assert_eq!(block_on(writer.respond(request)).status, 200);
        }
    }
    for writer in &others {
        writer.settle();
    }
    let reads = service.store.reads.get();
    // Two versions of the one warm response.
    assert!((2..=18).contains(&reads), "{reads}");
}

#[test]
fn an_unknown_leaderboard_leaves_no_key() {
    let service = service();
    service.anonymous(TOP);
    let puts = service.key_value.puts.get();
    for path in ["/leaderboards/none/entries", "/leaderboards/none/distribution"] {
        assert_eq!(service.anonymous(path).problem().1, "leaderboard-not-found");
    }
    assert_eq!(service.key_value.puts.get(), puts);
    assert!(service.key_value.keys("").iter().all(|key| !key.contains("none")));
}

#[test]
fn what_is_coded_later_is_kept_by_the_region_as_well() {
    let service = service();
    let path = format!("{TOP}?limit=25");
    let plain = service.anonymous(&path);
    let [key] = service.key_value.keys("response:").try_into().unwrap();
    let bytes = || service.key_value.entries.borrow()[&key].len();
    let before = bytes();
    let coded = service.send("GET", &path, "", &[("accept-encoding", "gzip")]);
    assert!(plain.bytes.len() > coded.bytes.len());
    assert!(bytes() >= before + coded.bytes.len());
    let puts = service.key_value.puts.get();
    service.send("GET", &path, "", &[("accept-encoding", "gzip")]);
    assert_eq!(service.key_value.puts.get(), puts);
}

#[test]
fn popular_responses_stay_in_the_cache() {
    let service = service();
    top(&service);
    service.anonymous("/leaderboards/goals/distribution");
    for limit in 1..=150 {
        // The operator's key has no limit of its own.
        service.call("GET", &format!("{TOP}?limit={limit}"), "");
    }
    let reads = service.store.reads.get();
    let reader = service.beside();
    top(&reader);
    reader.anonymous(&format!("{TOP}?limit=100"));
    reader.anonymous("/leaderboards/goals/distribution");
    assert_eq!(service.store.reads.get(), reads);
}

#[test]
fn write_through_fetches_the_warm_responses_after_a_write() {
    let policy =
        r#"{"strategy":"write_through","warm":[{"view":"entries","limit":10},{"view":"distribution"}]}"#;
    let service = with_policy(policy);
    service.pauses_take_time.set(true);
    score(&service, "new", 99);
    service.pauses_take_time.set(false);
    let reads = service.store.reads.get();
    let reader = service.beside();
    let answer = top(&reader);
    assert_eq!(first(&answer), "new");
    assert!(status(&answer).starts_with("hit"), "{}", status(&answer));
    let spread = reader.anonymous("/leaderboards/goals/distribution");
    assert!(status(&spread).starts_with("hit"));
    assert_eq!(service.store.reads.get(), reads);
}

#[test]
fn every_version_has_its_warm_responses_without_a_reader() {
    for strategy in ["write_through", "refresh_ahead"] {
        let service = with_policy(&format!(r#"{{"strategy":"{strategy}"}}"#));
        service.pauses_take_time.set(true);
        if strategy == "write_through" {
            score(&service, "new", 99);
        } else {
            let far = service.elsewhere();
            score(&far, "new", 99);
            let apply_change_message = r#"{"tenant":"default","leaderboards":["goals"]}"#;
            let apply_change_message =
                leaderboard_responses::apply_change_message(&service, apply_change_message.as_bytes());
            assert_eq!(block_on(apply_change_message), Ok(()));
        }
        service.store.down.set(true);
        for base in ["/api/v1", "/api/v2"] {
            let reader = service.beside();
            let answer = reader.send("GET", &format!("{base}{TOP}"), "", &[]);
            assert_eq!(answer.status, 200, "{strategy} {base}: {}", answer.text);
            assert!(answer.text.contains("new"), "{}", answer.text);
        }
    }
}

#[test]
fn a_message_of_another_region_invalidates() {
    let service = with_policy(r#"{"strategy":"refresh_ahead"}"#);
    let reader = service.beside();
    top(&reader);
    let known = |ms| {
        service.pass_ms(ms);
        status(&top(&reader)).to_owned()
    };
    let hear = |text: &str| {
        block_on(leaderboard_responses::apply_change_message(
            &service,
            text.as_bytes(),
        ))
    };
    service.pass_ms(10);
    // The store changed behind this region's back.
    let far = service.elsewhere();
    score(&far, "new", 99);
    assert_eq!(first(&top(&reader)), "p25");
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":["goals"]}"#), Ok(()));
    let reads = service.store.reads.get();
    assert_eq!(known(TRUST_MS), "hit; ttl=0; detail=region");
    assert_eq!(first(&top(&reader)), "new");
    assert_eq!(service.store.reads.get(), reads, "made ahead");
    // While it goes on changing, its readers make what they need.
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":["goals"]}"#), Ok(()));
    assert_eq!(service.store.reads.get(), reads);
    score(&far, "newer", 100);
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":[]}"#), Ok(()));
    service.pass_ms(SHOWS_AFTER_MS);
    assert_eq!(first(&top(&reader)), "newer");
    for bad in [
        "",
        "{}",
        r#"{"tenant":"A","leaderboards":[]}"#,
        r#"{"tenant":"a","leaderboards":["-"]}"#,
    ] {
        assert!(hear(bad).is_err(), "{bad}");
    }
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":["none"]}"#), Ok(()));
}
