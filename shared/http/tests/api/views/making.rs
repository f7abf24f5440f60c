//! Who makes an answer, and how often.

use futures::executor::block_on;
use futures::future::join_all;

use super::{TOP, first, score, service, status, top, with_policy};
use crate::service::{SHOWS_AFTER_MS, Service};

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
fn requests_for_what_is_not_there_do_not_wait_in_a_row() {
    let service = service();
    let asks = (0..16).map(|_| service.answer(Service::get(&format!("{TOP}/nobody"), &[])));
    let answers = block_on(join_all(asks));
    assert!(answers.iter().all(|answer| answer.status == 404));
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
fn a_message_of_another_region_is_heard() {
    let service = with_policy(r#"{"strategy":"refresh_ahead"}"#);
    let reader = service.beside();
    top(&reader);
    service.pauses_take_time.set(true);
    let hear = |text: &str| block_on(leaderboard_http::heard(&service, text.as_bytes()));
    // The store changed behind this region's back.
    let far = service.elsewhere();
    score(&far, "new", 99);
    assert_eq!(first(&top(&reader)), "p25");
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":["goals"]}"#), Ok(()));
    service.settle();
    service.pass_ms(SHOWS_AFTER_MS);
    let reads = service.store.reads.get();
    assert_eq!(first(&top(&reader)), "new");
    assert_eq!(service.store.reads.get(), reads, "made ahead");
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
