//! Who makes an answer, and how often.

use futures::executor::block_on;
use futures::future::join_all;

use super::{TOP, first, kept, score, service, status, top, with_policy};
use crate::service::{SHOWS_AFTER_MS, Service};

/// How long an instance does not look for changes.
const TRUST_MS: i64 = 20;

#[test]
fn of_requests_that_come_together_one_asks_the_store() {
    let service = service();
    let other = service.beside();
    let asks = (0..100).map(|n| {
        let instance = if n % 2 == 0 { &service } else { &other };
        instance.answer(Service::get(TOP, &[]))
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
async fn settle_all(services: &[&Service]) {
    for _ in 0..2000 {
        crate::store::turn().await;
        for service in services {
            service.settle_async().await;
        }
    }
}

#[test]
fn of_requests_for_what_is_not_there_one_asks_the_store() {
    let service = service();
    let asks = (0..16).map(|_| service.answer(Service::get(&format!("{TOP}/nobody"), &[])));
    let answers = block_on(join_all(asks));
    assert!(answers.iter().all(|answer| answer.status == 404));
    // It asks again with the current configuration, unless it has just read that.
    assert!(service.store.reads.get() <= 2, "{}", service.store.reads.get());
}

#[test]
fn of_requests_that_the_store_does_not_answer_one_asks_it() {
    let service = service();
    // What is known of the tenant is known already.
    service.anonymous("GET", "/leaderboards/goals/distribution");
    let other = service.beside();
    other.anonymous("GET", "/leaderboards/secret/entries");
    service.store.down.set(true);
    let asked = || service.store.board_reads.get() + service.store.reads.get();
    let before = asked();
    let path = "/leaderboards/goals/entries?limit=7";
    let asks = (0..16).map(|_| other.answer(Service::get(path, &[])));
    let answers = block_on(join_all(asks));
    assert!(answers.iter().all(|answer| answer.status == 503));
    assert_eq!(asked() - before, 1);
}

#[test]
fn the_truth_is_asked_for_once_by_those_who_want_it_at_the_same_time() {
    let service = service();
    top(&service);
    service.pass_ms(1);
    service.pauses_take_time.set(true);
    let asks = (0..16).map(|_| service.answer(Service::get(TOP, &[("cache-control", "no-cache")])));
    let answers = block_on(async {
        let (answers, ()) = futures::future::join(join_all(asks), settle_all(&[&service])).await;
        answers
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    let reads = service.store.reads.get();
    assert!(reads <= 4, "{reads}");
}

#[test]
fn one_that_is_refreshed_ahead_is_made_anew_before_its_end() {
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
fn many_writes_make_the_warm_answers_a_few_times() {
    let service = with_policy(r#"{"strategy":"write_through"}"#);
    let others = [service.beside(), service.beside(), service.beside()];
    service.pauses_take_time.set(true);
    for n in 0..40 {
        for writer in &others {
            let body = format!(r#"{{"player":"new","score":{}}}"#, 100 + n);
            let request = http::Request::builder()
                .method("POST")
                .uri("/api/v1/leaderboards/goals/scores")
                .header("x-api-key", crate::service::KEY)
                .header("content-type", "application/json")
                .body(leaderboard_pipeline::Body::Bytes(body.into()))
                .unwrap();
            assert_eq!(block_on(writer.answer(request)).status, 200);
        }
    }
    for writer in &others {
        writer.settle();
    }
    let reads = service.store.reads.get();
    // Two versions of the one warm view.
    assert!((2..=18).contains(&reads), "{reads}");
}

#[test]
fn an_unknown_leaderboard_leaves_nothing_in_the_region() {
    let service = service();
    service.anonymous("GET", TOP);
    let puts = service.region.puts.get();
    for path in ["/leaderboards/none/entries", "/leaderboards/none/distribution"] {
        assert_eq!(
            service.anonymous("GET", path).problem().1,
            "leaderboard-not-found"
        );
    }
    assert_eq!(service.region.puts.get(), puts);
    assert!(kept(&service, "").iter().all(|key| !key.contains("none")));
}

#[test]
fn what_is_coded_later_is_kept_by_the_region_as_well() {
    let service = service();
    let path = format!("{TOP}?limit=25");
    let plain = service.anonymous("GET", &path);
    let [key] = kept(&service, "view:").try_into().unwrap();
    let bytes = || service.region.kept.borrow()[&key].len();
    let before = bytes();
    let coded = service.raw("GET", &path, "", &[("accept-encoding", "gzip")]);
    assert!(plain.bytes.len() > coded.bytes.len());
    assert!(bytes() >= before + coded.bytes.len());
    let puts = service.region.puts.get();
    service.raw("GET", &path, "", &[("accept-encoding", "gzip")]);
    assert_eq!(service.region.puts.get(), puts);
}

#[test]
fn popular_answers_keep_their_places() {
    let service = service();
    top(&service);
    service.anonymous("GET", "/leaderboards/goals/distribution");
    for limit in 1..=150 {
        // The operator's key has no limit of its own.
        service.call("GET", &format!("{TOP}?limit={limit}"), "");
    }
    let reads = service.store.reads.get();
    let reader = service.beside();
    top(&reader);
    reader.anonymous("GET", &format!("{TOP}?limit=100"));
    reader.anonymous("GET", "/leaderboards/goals/distribution");
    assert_eq!(service.store.reads.get(), reads);
}

#[test]
fn a_writer_makes_the_warm_answers_of_write_through() {
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
    let spread = reader.anonymous("GET", "/leaderboards/goals/distribution");
    assert!(status(&spread).starts_with("hit"));
    assert_eq!(service.store.reads.get(), reads);
}

#[test]
fn every_version_has_its_warm_answers_without_a_reader() {
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
            let answer = reader.at("GET", &format!("{base}{TOP}"), "", &[]);
            assert_eq!(answer.status, 200, "{strategy} {base}: {}", answer.text);
            assert!(answer.text.contains("new"), "{}", answer.text);
        }
    }
}

#[test]
fn a_message_of_another_region_is_heard() {
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
