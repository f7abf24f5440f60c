//! Tests of receivers that fail: the schedule of attempts, the circuit breaker, 410, `Retry-After`, dead messages.

use leaderboard_environment::{FetchError, PostResponse};
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use super::{
    HOOK, HOUR_MS, MINUTE_MS, SECOND_MS, answer_once, answer_with, create_service, create_webhook, deliver,
    list_messages, read_status, submit, tick,
};
use crate::in_process::environment::Instance;
use crate::webhooks::NO_RESPONSE;

/// The waits between the attempts.
const WAITS_MS: [i64; 9] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];

/// Sends one message, whose first attempt fails.
fn fail_first_attempt() -> Instance {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    answer_with(&service, &[500]);
    assert_eq!(deliver(&service).len(), 1);
    service
}

#[test]
fn a_failed_message_is_sent_again_with_the_same_id_until_it_is_delivered() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    answer_with(&service, &[500]);
    let first = deliver(&service);
    service.pass_ms(4_999);
    assert!(deliver(&service).is_empty());
    service.pass_ms(1_001);
    answer_with(&service, &[200]);
    let second = deliver(&service);
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].headers["webhook-id"], first[0].headers["webhook-id"]);
    assert_eq!(second[0].body, first[0].body);
    assert_ne!(
        second[0].headers["webhook-timestamp"],
        first[0].headers["webhook-timestamp"]
    );
    let status = read_status(&service);
    assert_eq!(
        (&status["pending"], &status["consecutive_failures"]),
        (&json!(0), &json!(0))
    );
    let attempts = status["attempts"].as_array().unwrap();
    let log: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            (
                attempt["attempt"].as_u64().unwrap(),
                attempt["status"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(log, [(2, 200), (1, 500)]);
    assert_eq!(list_messages(&service), [] as [Value; 0]);
}

#[test]
fn a_message_is_tried_ten_times_in_three_days_and_then_given_up() {
    let service = fail_first_attempt();
    for (attempt, wait_ms) in (2..).zip(WAITS_MS) {
        // The jitter is at most a fifth, and the breaker is open for at most 18 minutes after that.
        service.pass_ms(wait_ms + wait_ms / 5 + 18 * MINUTE_MS);
        answer_with(&service, &[500]);
        assert_eq!(deliver(&service).len(), 1, "attempt {attempt}");
    }
    let messages = list_messages(&service);
    assert_eq!(
        (
            &messages[0]["state"],
            &messages[0]["attempts"],
            &messages[0]["next_attempt_at"]
        ),
        (&json!("dead"), &json!(10), &Value::Null)
    );
    service.pass_ms(48 * HOUR_MS);
    assert!(deliver(&service).is_empty());
    assert_eq!(read_status(&service)["dead"], 1);
}

#[test]
fn a_dead_message_can_be_sent_again_or_deleted() {
    let service = fail_first_attempt();
    for wait_ms in WAITS_MS {
        service.pass_ms(wait_ms + wait_ms / 5 + 18 * MINUTE_MS);
        answer_with(&service, &[500]);
        deliver(&service);
    }
    service.pass_ms(HOUR_MS);
    let dead = list_messages(&service).remove(0);
    let path = format!("{HOOK}/deliveries/{}", dead["id"].as_str().unwrap());
    let replayed = service
        .call("POST", &format!("{path}/replay"), "")
        .expect_status(202);
    assert_eq!(
        (&replayed["state"], &replayed["attempts"]),
        (&json!("pending"), &json!(0))
    );
    answer_with(&service, &[500]);
    assert_eq!(deliver(&service).len(), 1);
    let status = read_status(&service);
    assert_eq!((&status["dead"], &status["pending"]), (&json!(0), &json!(1)));
    service.call("DELETE", &path, "").expect_status(204);
    service
        .call("DELETE", &path, "")
        .expect_problem(404, "message-not-found", "");
    service
        .call("POST", &format!("{path}/replay"), "")
        .expect_problem(404, "message-not-found", "");
    service.pass_ms(HOUR_MS);
    assert!(deliver(&service).is_empty());
    assert_eq!(read_status(&service)["pending"], 0);
}

#[test]
fn a_receiver_that_answers_410_gets_nothing_more_until_the_webhook_is_put_again() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    answer_with(&service, &[410]);
    assert_eq!(deliver(&service).len(), 1);
    submit(&service, "p", 2);
    service.pass_ms(HOUR_MS);
    answer_with(&service, &[200]);
    assert!(deliver(&service).is_empty());
    assert_eq!(read_status(&service)["state"], "gone");
    let body = json!({"url": "https://hook.example/", "events": ["score.accepted"]});
    service.call("PUT", HOOK, body).expect_status(200);
    assert_eq!(read_status(&service)["state"], "active");
    answer_with(&service, &[200]);
    assert_eq!(deliver(&service).len(), 2);
}

#[test]
fn a_receiver_that_asks_for_a_wait_gets_it_before_any_message() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    answer_once(
        &service,
        Ok(PostResponse {
            status: 503,
            retry_after: Some("600".to_owned()),
        }),
    );
    assert_eq!(deliver(&service).len(), 1);
    submit(&service, "p", 2);
    service.pass_ms(9 * MINUTE_MS);
    assert!(deliver(&service).is_empty());
    assert_eq!(read_status(&service)["state"], "failing");
    service.pass_ms(MINUTE_MS + SECOND_MS);
    answer_with(&service, &[200, 200]);
    assert_eq!(deliver(&service).len(), 2);
    assert_eq!(read_status(&service)["state"], "active");
}

#[test]
fn a_wait_holds_although_another_message_of_the_batch_was_delivered() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    submit(&service, "p", 2);
    answer_once(
        &service,
        Ok(PostResponse {
            status: 429,
            retry_after: Some("600".to_owned()),
        }),
    );
    answer_with(&service, &[200]);
    assert_eq!(deliver(&service).len(), 2);
    submit(&service, "p", 3);
    service.pass_ms(9 * MINUTE_MS);
    assert!(deliver(&service).is_empty());
    service.pass_ms(MINUTE_MS + SECOND_MS);
    answer_with(&service, &[200, 200]);
    assert_eq!(deliver(&service).len(), 2);
}

#[test]
fn the_breaker_opens_after_five_failures_and_one_message_tries_whether_it_may_close() {
    let (service, _) = create_service(&["score.accepted"]);
    for n in 0..20 {
        submit(&service, "p", n);
    }
    answer_with(&service, &[500; 20]);
    // Eight messages are sent at the same time.
    assert_eq!(deliver(&service).len(), 8);
    service.web.answers.borrow_mut().clear();
    let status = read_status(&service);
    assert_eq!(
        (&status["state"], &status["consecutive_failures"]),
        (&json!("failing"), &json!(5))
    );
    assert_eq!(status["pending"], 20);
    service.pass_ms(30 * SECOND_MS);
    assert!(deliver(&service).is_empty());
    // Messages that failed together open it for its first time: a minute, and up to a fifth more.
    service.pass_ms(43 * SECOND_MS);
    answer_with(&service, &[500]);
    assert_eq!(deliver(&service).len(), 1);
    service.pass_ms(90 * SECOND_MS);
    assert!(deliver(&service).is_empty());
    service.pass_ms(MINUTE_MS);
    answer_with(&service, &[200; 20]);
    let delivered = deliver(&service).len();
    assert!(delivered >= 19, "{delivered}");
}

#[test]
fn failures_of_one_webhook_do_not_hold_another() {
    let (service, _) = create_service(&["score.accepted"]);
    create_webhook(&service, "other", &["score.accepted"]);
    for n in 0..3 {
        submit(&service, "p", n);
    }
    answer_with(&service, &[500; 6]);
    let report = tick(&service);
    assert_eq!((&report["webhooks"], &report["failed"]), (&json!(2), &json!(6)));
}

#[test]
fn a_test_message_without_a_response_does_not_tell_why() {
    let mut answers = Vec::new();
    for (takes_ms, error) in [
        (1, FetchError::Unreachable("10.0.0.7 refused".to_owned())),
        (2_000, FetchError::Prohibited),
        (10_000, FetchError::Unusable("took too long".to_owned())),
    ] {
        let (service, _) = create_service(&["score.accepted"]);
        service.pauses_take_time.set(true);
        service.web.takes_ms.set(takes_ms);
        answer_once(&service, Err(error));
        let began_ms = service.now_ms();
        let mut answer = service
            .call("POST", &format!("{HOOK}/ping"), "")
            .expect_status(200);
        // The id is random.
        answer["message"].take();
        answers.push((answer, service.now_ms() - began_ms));
    }
    assert_eq!(answers[0].0["duration_ms"], Value::Null);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[test]
fn what_a_failure_was_is_in_the_delivery_log_without_secrets_of_the_network() {
    for (answer, outcome, status) in [
        (
            Err(FetchError::Unreachable("10.0.0.7 refused".to_owned())),
            NO_RESPONSE,
            Value::Null,
        ),
        (
            Err(FetchError::Unusable("took too long".to_owned())),
            NO_RESPONSE,
            Value::Null,
        ),
        (Err(FetchError::Prohibited), NO_RESPONSE, Value::Null),
        (
            Err(FetchError::NotGranted),
            "the operator's variable webhook_hosts does not cover the host",
            Value::Null,
        ),
        (
            Ok(PostResponse {
                status: 302,
                retry_after: None,
            }),
            "answered 302: redirects are not followed",
            json!(302),
        ),
    ] {
        let (service, _) = create_service(&["score.accepted"]);
        submit(&service, "p", 1);
        answer_once(&service, answer);
        deliver(&service);
        let attempt = read_status(&service)["attempts"][0].take();
        assert_eq!(
            (&attempt["outcome"], &attempt["status"]),
            (&json!(outcome), &status)
        );
        assert_eq!(list_messages(&service)[0]["outcome"], outcome);
    }
}

#[test]
fn a_run_that_another_one_has_claimed_sends_nothing() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    // The store fails after the first run has claimed the webhook and sent the message.
    service.store.writes_left.set(Some(1));
    answer_with(&service, &[200]);
    service
        .send_at("POST", "/internal/webhooks/tick", &[("x-api-key", ADMIN_KEY)])
        .expect_status(503);
    let first = service.web.posted.take();
    service.store.writes_left.set(None);
    service.store.down.set(false);
    let beside = service.beside();
    answer_with(&beside, &[200]);
    assert!(deliver(&beside).is_empty());
    // Nobody knows that the message was sent, so it is sent again. Its id shows the receiver that it is the same.
    service.pass_ms(MINUTE_MS);
    let second = deliver(&beside);
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].headers["webhook-id"], first[0].headers["webhook-id"]);
}
