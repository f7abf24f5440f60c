//! Tests of requests in the queue, with a moved clock and a store that fails.

use futures::executor::block_on;
use leaderboard_core::TenantId;
use leaderboard_core::ports::{MAX_QUEUED_ITEMS, NewQueueItem, Queue, RESULT_KEPT_MS};
use leaderboard_score_messages::LEASE_MS;
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region, request};

pub(super) const SCORES: &str = "/leaderboards/b/scores";

/// Drains the queue, and returns the report.
pub(super) fn tick(service: &Instance) -> Value {
    let answer = service.send_at("POST", "/internal/tick", &[("x-api-key", ADMIN_KEY)]);
    answer.expect_status(200);
    answer.json()
}

pub(super) fn create_service() -> Instance {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/b", r#"{"operator":"increment"}"#);
    service
}

/// Sends a request with `respond-async` and the operator's key, whose instance ends before it drains the queue. Returns the
/// path of its state.
pub(super) fn enqueue(service: &Instance, body: &Value) -> String {
    enqueue_with(service, &[("x-api-key", ADMIN_KEY)], body)
}

/// Does the same as [`enqueue`], with these headers.
pub(super) fn enqueue_with(service: &Instance, headers: &[(&str, &str)], body: &Value) -> String {
    let headers = [headers, &[("prefer", "respond-async")]].concat();
    let answer = service.answer(request("POST", SCORES, body, &headers));
    service.drop_later_work();
    let accepted = answer.expect_status(202);
    assert_eq!(accepted["state"], "pending");
    format!("/submissions/{}", accepted["id"].as_str().unwrap())
}

pub(super) fn read_state(service: &Instance, path: &str) -> Value {
    let answer = service.call("GET", path, "");
    answer.expect_status(200);
    answer.json()
}

pub(super) fn read_score(service: &Instance, player: &str) -> Value {
    let entry = service.call("GET", &format!("/leaderboards/b/entries/{player}"), "");
    entry.json()["entry"]["values"]["score"].clone()
}

#[test]
fn an_accepted_request_is_applied_by_a_later_tick() {
    let service = create_service();
    let path = enqueue(&service, &json!({"player": "p", "score": 2}));
    assert_eq!(read_state(&service, &path)["state"], "pending");
    assert_eq!(read_score(&service, "p"), Value::Null);
    // The instance has ended, and another one drains.
    assert_eq!(
        tick(&service.beside()),
        json!({"finished": 1, "retried": 0, "dead": 0})
    );
    let state = read_state(&service, &path);
    assert_eq!(
        (&state["state"], &state["results"][0]["values"]["score"]),
        (&json!("applied"), &json!(2))
    );
    assert_eq!(read_score(&service, "p"), 2);
    assert_eq!(tick(&service), json!({"finished": 0, "retried": 0, "dead": 0}));
}

#[test]
fn requests_of_many_senders_are_applied_in_order_by_one_call_of_the_store() {
    let service = Instance::new();
    let board = json!({"access": {"write": "player"}, "operator": "set"});
    service.call("PUT", "/leaderboards/b", &board);
    let key = service.make_server_key();
    for n in 0..20 {
        let token = format!("Bearer {}", service.issue_token(&key, &format!("p{}", n % 3)));
        enqueue_with(
            &service,
            &[("authorization", &token)],
            &json!({"player": "me", "score": n}),
        );
    }
    enqueue(&service, &json!({"player": "p0", "score": 5}));
    service.store.submit_calls_left.set(Some(1));
    assert_eq!(tick(&service)["finished"], 21);
    service.store.submit_calls_left.set(None);
    assert_eq!(
        ["p0", "p1", "p2"].map(|player| read_score(&service, player)),
        [json!(5), json!(19), json!(17)]
    );
}

#[test]
fn a_request_whose_drain_was_cut_short_counts_once() {
    let service = create_service();
    let path = enqueue(
        &service,
        &json!({"scores": [{"player": "p", "score": 2}, {"player": "p", "score": 3}]}),
    );
    service.store.answers_get_lost.set(true);
    assert_eq!(tick(&service)["retried"], 1);
    service.store.answers_get_lost.set(false);
    assert_eq!(read_score(&service, "p"), 5, "the store has applied it");
    assert_eq!(read_state(&service, &path)["state"], "pending");
    service.pass_ms(i64::from(LEASE_MS));
    assert_eq!(tick(&service)["finished"], 1);
    assert_eq!(read_score(&service, "p"), 5);
    let state = read_state(&service, &path);
    assert_eq!(state["results"][1]["values"]["score"], 5);
}

#[test]
fn a_drain_without_a_store_leaves_the_queue_as_it_is() {
    let service = create_service();
    let path = enqueue(&service, &json!({"player": "p", "score": 2}));
    service.store.down.set(true);
    let answer = service.send_at("POST", "/internal/tick", &[("x-api-key", ADMIN_KEY)]);
    assert_eq!(answer.problem().0, 503);
    service.store.down.set(false);
    assert_eq!(tick(&service)["finished"], 1);
    assert_eq!(read_state(&service, &path)["state"], "applied");
}

#[test]
fn a_queued_score_counts_at_the_time_of_its_request() {
    let service = Instance::new();
    let daily = r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#;
    service.call("PUT", "/leaderboards/b", daily);
    let path = enqueue(&service, &json!({"player": "p", "score": 2, "id": "mine"}));
    service.pass_ms(2 * 24 * 60 * 60 * 1000);
    tick(&service);
    let result = read_state(&service, &path)["results"][0].clone();
    assert_eq!(result["period"], "2026-07-19T00:00:00Z", "{result}");
    // A client that sends the same submission directly gets this outcome.
    let again = service
        .call("POST", SCORES, r#"{"player":"p","score":2,"id":"mine"}"#)
        .json();
    assert_eq!(
        (&again["replayed"], &again["period"]),
        (&json!(true), &result["period"])
    );
}

#[test]
fn the_state_of_a_request_is_kept_for_a_day() {
    let service = create_service();
    let path = enqueue(&service, &json!({"player": "p", "score": 2}));
    tick(&service);
    service.pass_ms(RESULT_KEPT_MS - 1);
    assert_eq!(read_state(&service, &path)["state"], "applied");
    service.pass_ms(1);
    // The store deletes it with the next write.
    enqueue(&service, &json!({"player": "p", "score": 2}));
    assert_eq!(service.call("GET", &path, "").problem().1, "submission-not-found");
}

#[test]
fn a_full_queue_refuses_requests_of_its_tenant() {
    let service = create_service();
    let owner = TenantId::new("default").unwrap();
    for n in 0..MAX_QUEUED_ITEMS {
        let item = NewQueueItem {
            id: &n.to_string(),
            player: None,
            digest: [0; 16],
            payload: b"{}",
        };
        block_on(service.store.enqueue(&owner, &item)).unwrap().unwrap();
    }
    let headers = [("prefer", "respond-async")];
    let refused = service.call_with("POST", SCORES, r#"{"player":"p","score":1}"#, &headers);
    assert_eq!(
        (refused.problem().0, refused.problem().1.as_str()),
        (503, "queue-full")
    );
    assert_eq!(refused.header("retry-after"), "1");
    // A request that waits for its outcome does not need the queue.
    service
        .call("POST", SCORES, r#"{"player":"p","score":1}"#)
        .expect_status(200);
}

#[test]
fn a_pending_score_is_read_until_it_is_applied() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/b", r#"{"access":{"write":"player"}}"#);
    let token = service.issue_token(&service.make_server_key(), "p");
    let bearer = format!("Bearer {token}");
    let body = json!({"player": "me", "score": 7, "metadata": {"level": 3}, "id": "x"});
    let headers = [("authorization", bearer.as_str()), ("prefer", "respond-async")];
    let accepted = service.answer(request("POST", SCORES, &body, &headers));
    service.drop_later_work();
    accepted.expect_status(202);
    // A server's request for the player is not the player's own.
    enqueue(&service, &json!({"player": "p", "score": 1}));
    let read = || {
        service
            .call("GET", "/players/p/pending-scores", "")
            .expect_status(200)["pending"]
            .take()
    };
    let pending = read();
    assert_eq!(pending[0]["id"], accepted.json()["id"]);
    assert_eq!(
        pending[0]["submissions"],
        json!([{"leaderboards": ["b"], "player": "p", "score": 7, "id": "x", "metadata": {"level": 3}}])
    );
    assert_eq!(pending.as_array().unwrap().len(), 1);
    tick(&service);
    assert_eq!(read(), json!([]));
    assert_eq!(read_score(&service, "p"), 7);
}

#[test]
fn the_report_of_a_region_has_the_age_of_the_oldest_item() {
    let region = Region::with_options().region();
    let service = region.instance();
    service.call("PUT", "/leaderboards/b", r#"{"operator":"increment"}"#);
    let report = || {
        region.pass_ms(10_000);
        service.anonymous("/health/ready").expect_status(200);
        service.settle();
        let listed = service.call("GET", "/regions", "").expect_status(200);
        [
            &listed["regions"][0]["queue_items"],
            &listed["regions"][0]["queue_lag_ms"],
        ]
        .map(Clone::clone)
    };
    assert_eq!(report(), [json!(0), Value::Null]);
    enqueue(&service, &json!({"player": "p", "score": 2}));
    assert_eq!(report(), [json!(1), json!(10_000)]);
    tick(&service);
    assert_eq!(report(), [json!(0), Value::Null]);
}
