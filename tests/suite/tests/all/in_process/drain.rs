//! Tests of drains: how long they last, and what becomes of requests that cannot be applied.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::ports::{DeadLetter, DeadLetters, NewQueueItem, Queue};
use leaderboard_core::{LeaderboardId, TenantId};
use leaderboard_environment::Environment;
use leaderboard_score_messages::{AcceptedRequest, LEASE_MS, MAX_ATTEMPTS};
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::dead_letters::list_letters;
use crate::in_process::environment::{Instance, Region};
use crate::in_process::queue::{SCORES, create_service, enqueue, enqueue_with, read_score, read_state, tick};

/// Drains the queue until its only item is dead, and waits for a lease after each attempt. Returns the dead letter.
fn drain_until_dead(service: &Instance) -> Value {
    for _ in 1..MAX_ATTEMPTS {
        assert_eq!(tick(service)["retried"], 1);
        service.pass_ms(i64::from(LEASE_MS));
    }
    assert_eq!(tick(service)["dead"], 1);
    list_letters(service).remove(0)
}

/// Replays a dead letter, which succeeds. Returns the outcome.
fn replay(service: &Instance, letter: &Value) -> Value {
    let path = format!("/dead-letters/{}/replay", letter["id"].as_str().unwrap());
    service.call("POST", &path, "").expect_status(200)["results"][0].clone()
}

#[test]
fn a_drain_whose_time_is_over_gives_back_what_it_did_not_try() {
    let service = create_service();
    let scores: Vec<Value> = (0..1_000).map(|_| json!({"player": "p", "score": 1})).collect();
    for _ in 0..5 {
        enqueue(&service, &json!({ "scores": scores }));
    }
    let slow = service.clone();
    let before_submit = Rc::new(move |_: &_| slow.pass_ms(6_000));
    service.store.before_submit.replace(Some(before_submit));
    assert_eq!(tick(&service), json!({"finished": 4, "retried": 0, "dead": 0}));
    assert_eq!(tick(&service), json!({"finished": 1, "retried": 0, "dead": 0}));
    assert_eq!(read_score(&service, "p"), 5_000);
}

#[test]
fn a_failure_of_one_tenant_does_not_stop_the_others() {
    let service = Instance::new();
    let paths = ["acme", "zeta"].map(|tenant| {
        let headers = [("x-api-key", ADMIN_KEY), ("x-tenant-id", tenant)];
        service
            .send("PUT", "/leaderboards/b", "{}", &headers)
            .expect_status(201);
        enqueue_with(&service, &headers, &json!({"player": "p", "score": 2}))
    });
    let state_of = |tenant: &str, path: &str| {
        let answer = service.call_with("GET", path, "", &[("x-tenant-id", tenant)]);
        answer.expect_status(200)["state"].clone()
    };
    service
        .store
        .damaged_queue
        .replace(Some(TenantId::new("acme").unwrap()));
    let failed = service.send_at("POST", "/internal/tick", &[("x-api-key", ADMIN_KEY)]);
    assert_eq!(failed.problem().0, 500);
    assert_eq!(
        (state_of("acme", &paths[0]), state_of("zeta", &paths[1])),
        (json!("pending"), json!("applied"))
    );
    service.store.damaged_queue.replace(None);
    service.pass_ms(i64::from(LEASE_MS));
    assert_eq!(tick(&service)["finished"], 1);
    assert_eq!(state_of("acme", &paths[0]), "applied");
}

#[test]
fn a_request_that_ends_every_instance_is_the_only_one_that_is_given_up() {
    let service = create_service();
    let paths: Vec<String> = (0..10)
        .map(|n| enqueue(&service, &json!({"player": format!("p{n}"), "score": 1})))
        .collect();
    let before_submit = |submissions: &[leaderboard_core::PreparedSubmission]| {
        let is_poison = submissions
            .iter()
            .any(|submission| submission.player.as_str() == "p4");
        assert!(!is_poison, "the instance traps");
    };
    service.store.before_submit.replace(Some(Rc::new(before_submit)));
    let drained = (0..3 * MAX_ATTEMPTS).find(|_| {
        service.pass_ms(i64::from(LEASE_MS));
        let instance = service.beside();
        let report = catch_unwind(AssertUnwindSafe(|| tick(&instance)));
        report.is_ok_and(|report| report == json!({"finished": 0, "retried": 0, "dead": 0}))
    });
    assert!(drained.is_some());
    service.store.before_submit.replace(None);
    for (n, path) in paths.iter().enumerate() {
        let state = read_state(&service, path);
        if n == 4 {
            assert_eq!(state["reason"], "each attempt to apply it was cut short");
        } else {
            assert_eq!(state["state"], "applied", "{n}: {state}");
        }
    }
    assert_eq!(list_letters(&service).len(), 1);
}

#[test]
fn a_request_waits_while_the_store_is_full() {
    let service = create_service();
    let path = enqueue(&service, &json!({"player": "p", "score": 2}));
    service.store.is_full.set(true);
    for _ in 0..2 * MAX_ATTEMPTS {
        assert_eq!(tick(&service)["retried"], 1);
        service.pass_ms(i64::from(LEASE_MS));
    }
    service.store.is_full.set(false);
    assert_eq!(tick(&service)["finished"], 1);
    assert_eq!(read_state(&service, &path)["state"], "applied");
}

#[test]
fn a_request_stays_in_the_queue_when_the_store_has_no_room_for_its_dead_letter() {
    let service = create_service();
    enqueue(&service, &json!({"player": "p", "score": 2}));
    service.store.is_rebuilding.set(true);
    for _ in 1..MAX_ATTEMPTS {
        assert_eq!(tick(&service)["retried"], 1);
        service.pass_ms(i64::from(LEASE_MS));
    }
    service.store.is_full.set(true);
    for _ in 0..3 {
        let failed = service.send_at("POST", "/internal/tick", &[("x-api-key", ADMIN_KEY)]);
        assert_eq!(failed.problem().0, 503);
        service.pass_ms(i64::from(LEASE_MS));
    }
    service.store.is_full.set(false);
    service.store.is_rebuilding.set(false);
    assert_eq!(tick(&service)["finished"], 1);
    assert_eq!(read_score(&service, "p"), 2);
}

#[test]
fn a_request_of_a_suspended_tenant_waits_until_the_tenant_is_active() {
    let service = Region::of_acme().instance();
    service.call("PUT", "/leaderboards/b", "{}");
    let headers = [("x-api-key", ADMIN_KEY), ("x-tenant-id", "acme")];
    let path = enqueue_with(&service, &headers, &json!({"player": "p", "score": 2}));
    service.call("PUT", "/tenants/acme", r#"{"state":"suspended"}"#);
    for _ in 0..2 * MAX_ATTEMPTS {
        assert_eq!(tick(&service), json!({"finished": 0, "retried": 1, "dead": 0}));
        service.pass_ms(i64::from(LEASE_MS));
    }
    service.call("PUT", "/tenants/acme", r#"{"state":"active"}"#);
    // It was not tried, so it is applied also after its ids would have expired.
    service.pass_ms(25 * 60 * 60 * 1_000);
    assert_eq!(tick(&service)["finished"], 1);
    assert_eq!(read_state(&service, &path)["state"], "applied");
}

#[test]
fn a_dead_request_is_replayed_as_its_player_and_in_its_period() {
    let service = Region::of_acme().instance();
    let board = json!({"access": {"write": "player"}, "operator": "increment",
        "reset": {"cron": "0 0 * * *", "time_zone": "UTC"}});
    service.call("PUT", "/leaderboards/b", &board);
    let token = service.issue_token(&service.make_server_key(), "p");
    let bearer = format!("Bearer {token}");
    let submission = json!({"player": "me", "score": 1, "id": "own", "metadata": {"n": 1.0}});
    enqueue_with(&service, &[("authorization", &bearer)], &submission);
    service.store.is_rebuilding.set(true);
    // The region learns at the first attempt that it has to wait, and at midnight a new period begins.
    assert_eq!(tick(&service)["retried"], 1);
    service.pass_ms(4 * 60 * 60 * 1_000);
    for _ in 2..MAX_ATTEMPTS {
        assert_eq!(tick(&service)["retried"], 1);
        service.pass_ms(i64::from(LEASE_MS));
    }
    assert_eq!(tick(&service)["dead"], 1);
    service.store.is_rebuilding.set(false);
    let letter = list_letters(&service).remove(0);
    assert_eq!(
        serde_json::from_str::<Value>(letter["payload"].as_str().unwrap()).unwrap(),
        json!({"tenant": "acme", "sender": "p", "scores": [
            {"leaderboards": ["b"], "player": "p", "score": 1, "id": "own", "metadata": {"n": 1.0}}]})
    );
    assert_eq!(replay(&service, &letter)["period"], "2026-07-19T00:00:00Z");
    // The id belongs to the player, so the player's own retry is a replay.
    let token = service.issue_token(&service.make_server_key(), "p");
    let again = service.with_token(&token, "POST", SCORES, &submission);
    assert_eq!(again.json()["replayed"], true, "{:?}", again.json());
}

#[test]
fn a_replay_of_a_request_with_an_idempotency_key_is_the_same_request() {
    let submission = json!({"player": "p", "score": 2});
    let headers = [("x-api-key", ADMIN_KEY), ("idempotency-key", "k")];
    for was_applied in [true, false] {
        let service = create_service();
        enqueue_with(&service, &headers, &submission);
        service.store.answers_get_lost.set(was_applied);
        service.store.is_rebuilding.set(!was_applied);
        let letter = drain_until_dead(&service);
        service.store.answers_get_lost.set(false);
        service.store.is_rebuilding.set(false);
        assert_eq!(replay(&service, &letter)["replayed"], was_applied);
        let again = service.send("POST", SCORES, &submission, &headers);
        assert_eq!(again.json()["replayed"], true, "{:?}", again.json());
        assert_eq!(read_score(&service, "p"), 2);
    }
}

#[test]
fn a_request_that_may_have_counted_is_not_applied_again_after_a_day() {
    let service = create_service();
    let path = enqueue(&service, &json!({"player": "p", "score": 2}));
    service.store.answers_get_lost.set(true);
    assert_eq!(tick(&service)["retried"], 1);
    service.store.answers_get_lost.set(false);
    service.pass_ms(24 * 60 * 60 * 1_000);
    assert_eq!(tick(&service)["dead"], 1);
    assert_eq!(read_score(&service, "p"), 2);
    let reason = read_state(&service, &path)["reason"].clone();
    assert!(
        reason.as_str().unwrap().contains("unknown whether it counted"),
        "{reason}"
    );
}

/// Appends a request with this payload to the queue, and returns the path of its state.
fn append_request(service: &Instance, payload: &[u8]) -> String {
    let item = NewQueueItem {
        id: "raw",
        player: None,
        digest: [7; 16],
        payload,
    };
    let tenant = TenantId::new("default").unwrap();
    block_on(service.store.enqueue(&tenant, &item)).unwrap().unwrap();
    "/submissions/raw".to_owned()
}

#[test]
fn a_request_of_a_newer_version_waits_for_a_day_and_then_becomes_a_letter_of_its_tenant() {
    let service = create_service();
    let path = append_request(&service, b"\x02 and more");
    for _ in 0..2 * MAX_ATTEMPTS {
        assert_eq!(tick(&service), json!({"finished": 0, "retried": 1, "dead": 0}));
        service.pass_ms(i64::from(LEASE_MS));
    }
    assert_eq!(read_state(&service, &path)["state"], "pending");
    service.pass_ms(24 * 60 * 60 * 1000);
    assert_eq!(tick(&service)["dead"], 1);
    let state = read_state(&service, &path);
    let reason = state["reason"].as_str().unwrap();
    assert!(reason.contains("newer version of Edgeboard"), "{reason}");
    let letter = list_letters(&service).remove(0);
    assert_eq!(
        (&letter["tenant"], &letter["complete"]),
        (&json!("default"), &json!(true))
    );
    let replay = format!("/dead-letters/{}/replay", letter["id"].as_str().unwrap());
    service
        .call("POST", &replay, "")
        .expect_problem(409, "not-replayable", "");
}

#[test]
fn a_letter_with_a_request_is_replayed_by_a_version_that_can_read_it() {
    let service = create_service();
    let board = LeaderboardId::new("b").unwrap();
    let request = AcceptedRequest {
        leaderboard: Some(&board),
        player: None,
        id_seed: None,
        body: br#"{"scores":[{"player":"p","score":1},{"player":"q","score":2}]}"#,
    };
    let letter = DeadLetter {
        at: service.now(),
        reason: "an older version could not read it".into(),
        payload: request.encode(),
    };
    let tenant = TenantId::new("default").unwrap();
    block_on(service.store.push_dead_letters(Some(&tenant), &[letter])).unwrap();
    let letter = list_letters(&service).remove(0);
    replay(&service, &letter);
    let scores = ["p", "q"].map(|player| read_score(&service, player));
    assert_eq!(scores, [1, 2]);
    assert!(list_letters(&service).is_empty());
}
