//! Tests of messages that backends append to the queue.

use leaderboard_test_support::{RedisServer, wait_until};
use serde_json::json;

use super::{connect, message, on_redis, publish, read_letters, read_scores, score};

/// The stream to which backends append.
const STREAM: &str = "eb::queue";
/// The message that makes the regions drain the queue.
const WAKE_UP: &[u8] = br#"{"wake": true}"#;

/// Appends a message to the queue.
async fn append(server: &RedisServer, payload: &[u8]) {
    let mut command = redis::cmd("XADD");
    command.arg(STREAM).arg("*").arg("message").arg(payload);
    let _id: String = command.query_async(&mut connect(server).await).await.unwrap();
}

#[test]
fn messages_in_the_stream_are_applied_at_a_wake_up() {
    on_redis(async |api, redis| {
        for n in 0..250 {
            append(redis, &message(api, &[score("p", 1, &format!("{n}"))])).await;
        }
        // The same submission again counts once.
        append(redis, &message(api, &[score("p", 1, "0")])).await;
        publish(redis, WAKE_UP).await;
        wait_until(
            async || read_scores(api).await,
            |scores| scores == &[("p".to_owned(), 250)],
        )
        .await;
        assert_eq!(read_letters(api).await, []);
    });
}

#[test]
fn a_lost_wake_up_costs_only_delay() {
    on_redis(async |api, redis| {
        append(redis, &message(api, &[score("p", 1, "a")])).await;
        let tick = api.request_at("POST", "/internal/tick").send().await;
        assert_eq!(tick.expect_status(200)["finished"], 1);
        assert_eq!(read_scores(api).await, [("p".to_owned(), 1)]);
        // The next message drains, too.
        append(redis, &message(api, &[score("p", 1, "b")])).await;
        publish(redis, &message(api, &[score("q", 1, "c")])).await;
        let expected = [("p".to_owned(), 2), ("q".to_owned(), 1)];
        wait_until(async || read_scores(api).await, |scores| scores == &expected).await;
    });
}

#[test]
fn a_faulty_message_in_the_stream_is_a_dead_letter_and_stops_no_other() {
    on_redis(async |api, redis| {
        append(redis, b"not json").await;
        let mut large = message(api, &[score("p", 1, "large")]);
        large.resize(10 << 20, b' ');
        append(redis, &large).await;
        let unknown = json!({"player": "p", "score": 1, "id": "x", "leaderboards": ["none"]});
        append(redis, &message(api, &[unknown, score("p", 1, "known")])).await;
        let mut foreign = redis::cmd("XADD");
        foreign
            .arg(STREAM)
            .arg("*")
            .arg("tenant")
            .arg("No Tenant")
            .arg("id")
            .arg("x");
        let _id: String = foreign
            .arg("request")
            .arg(b"\x01")
            .query_async(&mut connect(redis).await)
            .await
            .unwrap();
        append(redis, &message(api, &[score("q", 1, "last")])).await;
        let drained = wait_until(
            async || {
                api.request_at("POST", "/internal/tick").send().await;
                read_letters(api).await
            },
            |letters| letters.len() >= 4,
        )
        .await;
        let reasons: Vec<&str> = drained.iter().map(|(reason, _)| reason.as_str()).collect();
        let mut expected = vec![
            "not valid JSON",
            "The body is too large",
            "The leaderboard none does not exist.",
            "not valid JSON",
        ];
        expected.retain(|words| !reasons.iter().any(|reason| reason.contains(words)));
        assert_eq!((expected, reasons.len()), (vec![], 4), "{reasons:?}");
        let scores = [("p".to_owned(), 1), ("q".to_owned(), 1)];
        wait_until(async || read_scores(api).await, |found| found == &scores).await;
    });
}

#[test]
fn a_message_of_a_suspended_tenant_in_the_stream_is_a_dead_letter() {
    on_redis(async |api, redis| {
        let tenant = format!("/tenants/{}", api.tenant);
        api.put(&tenant, &json!({"state": "suspended"})).await;
        append(redis, &message(api, &[score("p", 1, "a")])).await;
        let tick = api.request_at("POST", "/internal/tick").send().await;
        assert_eq!(tick.expect_status(200)["dead"], 1);
        let letters = read_letters(api).await;
        assert_eq!(letters[0].0, "The tenant is suspended");
    });
}
