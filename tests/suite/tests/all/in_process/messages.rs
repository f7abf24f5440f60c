//! Tests of scores that arrive as messages.

use futures::executor::block_on;
use leaderboard_score_messages::{MAX_LETTER_BYTES, MessageReport};
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use super::dead_letters::list_letters;
use crate::in_process::environment::Instance;

/// Creates a service with a leaderboard `goals` that adds scores up and accepts scores up to 10.
fn create_service() -> Instance {
    let service = Instance::new();
    service.call(
        "PUT",
        "/leaderboards/goals",
        r#"{"operator":"increment","limits":{"max":10}}"#,
    );
    service
}

/// Returns a report with these numbers of submissions.
fn report(applied: usize, replayed: usize, dead_letters: usize) -> MessageReport {
    MessageReport {
        applied,
        replayed,
        dead_letters,
        ..MessageReport::default()
    }
}

#[test]
fn a_repeated_message_counts_once() {
    let service = create_service();
    let message = r#"{"tenant":"default","scores":[{"leaderboards":["goals"],"player":"p","score":1,"id":"1"},{"leaderboards":["goals"],"player":"p","score":2,"id":"2"}]}"#;
    assert_eq!(service.message(message), report(2, 0, 0));
    assert_eq!(service.message(message), report(0, 2, 0));
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 3}));
    assert!(list_letters(&service).is_empty());
}

#[test]
fn faulty_submissions_become_dead_letters_and_the_others_are_applied() {
    let service = create_service();
    let message = r#"{"tenant":"default","scores":[
        {"leaderboards":["goals"],"player":"p","score":1.5,"id":"1"},
        {"leaderboards":["goals"],"player":"p","score":2},
        7,
        {"leaderboards":["goals"],"player":"p","score":11,"id":"3"},
        {"leaderboards":["goals"], "player":"p", "score":4, "id":"4"},
        {"leaderboards":["goals"],"player":"p","score":5,"id":"4"},
        {"leaderboards":["goals","none"],"player":"p","score":6,"id":"6"},
        {"leaderboards":["goals"],"player":"","score":7,"id":"7"}]}"#;
    for again in [false, true] {
        let expected = if again { report(0, 1, 7) } else { report(1, 0, 7) };
        assert_eq!(service.message(message), expected);
    }
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 4}));
    let letters = list_letters(&service);
    let expected = [
        (
            "#/scores/0/score: must be an integer, without fraction and exponent",
            r#"{"leaderboards":["goals"],"player":"p","score":1.5,"id":"1"}"#,
        ),
        (
            "#/scores/0/id: is required",
            r#"{"leaderboards":["goals"],"player":"p","score":2}"#,
        ),
        ("#/scores/0: must be an object", "7"),
        (
            "#/scores/0/player",
            r#"{"leaderboards":["goals"],"player":"","score":7,"id":"7"}"#,
        ),
        (
            "above the leaderboard's max of 10",
            r#"{"leaderboards":["goals"],"player":"p","score":11,"id":"3"}"#,
        ),
        (
            "knows this id with other content",
            r#"{"leaderboards":["goals"],"player":"p","score":5,"id":"4"}"#,
        ),
        (
            "The leaderboard none does not exist.",
            r#"{"leaderboards":["goals","none"],"player":"p","score":6,"id":"6"}"#,
        ),
    ];
    assert_eq!(letters.len(), expected.len());
    for (letter, (reason, score)) in letters.iter().rev().zip(expected) {
        assert!(letter["reason"].as_str().unwrap().contains(reason), "{letter}");
        let payload = format!(r#"{{"tenant":"default","scores":[{score}]}}"#);
        assert_eq!(letter["payload"], payload, "{reason}");
    }
    assert_eq!(letters[0]["at"], "2026-07-19T21:04:00.000Z");
}

#[test]
fn a_message_overrides_the_operator_only_if_the_leaderboard_allows_it() {
    let service = create_service();
    let set = r#"{"tenant":"default","scores":[{"leaderboards":["goals"],"player":"p","score":4,"id":"1","operator":"set"}]}"#;
    assert_eq!(service.message(set), report(0, 0, 1));
    let letters = list_letters(&service);
    assert!(
        letters[0]["reason"]
            .as_str()
            .unwrap()
            .contains("#/scores/0/operator")
    );
    // A replay has no more permissions than the message, which has no credential.
    let replay = format!("/dead-letters/{}/replay", letters[0]["id"].as_str().unwrap());
    assert_eq!(service.call("POST", &replay, "").problem().1, "validation");
    let open = r#"{"operator":"increment","operator_override":true}"#;
    service
        .call("PUT", "/leaderboards/goals", open)
        .expect_status(200);
    assert_eq!(service.message(set), report(1, 0, 0));
}

/// Returns a message with a long submission for each id.
fn build_batch(tenant: &str, ids: std::ops::Range<u32>) -> String {
    let scores: Vec<Value> = ids
        .map(|id| {
            let metadata = json!({"note": "x".repeat(900)});
            json!({"leaderboards": ["goals"], "player": "p", "score": 1, "id": format!("{id}"), "metadata": metadata})
        })
        .collect();
    json!({"tenant": tenant, "scores": scores}).to_string()
}

/// Switches writes on or off, by a flag of the operator.
fn switch_writes(service: &Instance, on: bool) {
    let variant = if on { "on" } else { "off" };
    let flags = json!({"flags": {"edgeboard.writes": {
        "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": variant,
    }}});
    let put = service.call("PUT", "/operator/flags", &flags.to_string());
    assert!(matches!(put.status, 200 | 201), "{put:?}");
}

#[test]
fn submissions_during_disabled_writes_become_letters_and_can_be_replayed() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", r#"{"operator":"increment"}"#);
    switch_writes(&service, false);
    // One dead letter could not hold the message.
    let message = build_batch("default", 0..200);
    assert!(message.len() > 10 * MAX_LETTER_BYTES);
    assert_eq!(service.message(&message), report(0, 0, 200));
    assert_eq!(service.message(&message), report(0, 0, 200));
    assert_eq!(
        service.store.letter_pushes.take(),
        2,
        "one command for each message"
    );
    let kept = list_letters(&service);
    assert_eq!(kept.len(), 200);
    assert!(
        kept.iter()
            .all(|letter| letter["complete"] == true && letter["tenant"] == "default")
    );
    let payload: Value = serde_json::from_str(kept[199]["payload"].as_str().unwrap()).unwrap();
    assert_eq!(
        payload["scores"][0]["metadata"]["note"].as_str().unwrap().len(),
        900
    );

    let replay = |letter: &Value| {
        let id = letter["id"].as_str().unwrap();
        service.call("POST", &format!("/dead-letters/{id}/replay"), "")
    };
    assert_eq!(replay(&kept[0]).problem().0, 503, "writes are still off");
    switch_writes(&service, true);
    // Another region has applied submission 7 in the meantime.
    assert_eq!(service.message(build_batch("default", 7..8)), report(1, 0, 0));
    for letter in &kept {
        let answer = replay(letter);
        answer.expect_status(200);
        let is_applied = letter["payload"].as_str().unwrap().contains(r#""id":"7""#);
        assert_eq!(answer.json()["results"][0]["replayed"], is_applied);
    }
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 200}));
    assert_eq!(replay(&kept[0]).problem().1, "dead-letter-not-found");
    assert!(list_letters(&service).is_empty());
}

#[test]
fn a_dead_letter_of_a_suspended_tenant_is_replayed_after_reactivation() {
    let service = create_service();
    let daily = r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#;
    let acme = [("x-api-key", ADMIN_KEY), ("x-tenant-id", "acme")];
    service
        .call_with("PUT", "/leaderboards/goals", daily, &acme[1..])
        .expect_status(201);
    service.call("PUT", "/tenants/acme", r#"{"state":"suspended"}"#);
    assert_eq!(service.message(build_batch("acme", 0..3)), report(0, 0, 3));
    let listed = service.call("GET", "/dead-letters?tenant=acme", "").json();
    assert_eq!(listed["letters"][0]["reason"], "The tenant is suspended");
    let id = listed["letters"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/dead-letters/{id}/replay");
    assert_eq!(
        service.send("POST", &path, "", &acme).problem().1,
        "tenant-suspended"
    );
    // A request that does not name the tenant does not find the dead letter.
    assert_eq!(
        service.call("POST", &path, "").problem().1,
        "dead-letter-not-found"
    );
    service.call("PUT", "/tenants/acme", r#"{"state":"active"}"#);
    service.pass_ms(2 * 24 * 60 * 60 * 1000);
    service.send("POST", &path, "", &acme).expect_status(200);
    // The score counts in the period in which the message arrived.
    let at = "/leaderboards/goals/entries?period=2026-07-19";
    let page = service.send("GET", &format!("{at}T12:00:00Z"), "", &acme).json();
    assert_eq!(page["entries"][0]["player"], "p", "{page}");
    let audit = service.send("GET", "/audit?limit=1000", "", &acme).json();
    let routes: Vec<_> = audit["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["event"]["route"].clone())
        .collect();
    assert!(
        routes.contains(&json!("/dead-letters/:letter/replay")),
        "{routes:?}"
    );
}

#[test]
fn a_failed_replay_keeps_the_dead_letter_and_a_delete_removes_it() {
    let service = create_service();
    service.message("not json");
    service.message(
        r#"{"tenant":"default","scores":[{"leaderboards":["goals"],"player":"p","score":11,"id":"3"}]}"#,
    );
    let listed = list_letters(&service);
    let path = |at: usize, end: &str| format!("/dead-letters/{}{end}", listed[at]["id"].as_str().unwrap());
    let refused = service.call("POST", &path(0, "/replay"), "");
    assert_eq!(refused.problem().0, 422);
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("above the leaderboard's max of 10")
    );
    assert_eq!(
        service.call("POST", &path(1, "/replay"), "").problem().1,
        "not-replayable"
    );
    assert_eq!(
        list_letters(&service),
        listed,
        "a failed replay deletes no dead letter"
    );
    for at in [0, 1] {
        service.call("DELETE", &path(at, ""), "").expect_status(204);
        assert_eq!(
            service.call("DELETE", &path(at, ""), "").problem().1,
            "dead-letter-not-found"
        );
    }
    assert!(list_letters(&service).is_empty());
    assert_eq!(service.call("DELETE", "/dead-letters/x", "").problem().0, 400);
}

#[test]
fn the_longest_valid_submission_fits_into_a_dead_letter() {
    let service = create_service();
    let names: Vec<String> = (0..16).map(|n| format!("{n:0>64}")).collect();
    let item = json!({
        "leaderboards": names, "player": "\"".repeat(128), "values": {"a".repeat(32): i64::MIN, "b".repeat(32): i64::MIN, "c".repeat(32): i64::MIN},
        "metadata": {"m": "x".repeat(1000)}, "id": "\"".repeat(128), "occurred_at": "2026-07-19T21:04:00.000000000+00:00", "operator": "increment",
    });
    let message = json!({"tenant": "t".repeat(64), "scores": [item]}).to_string();
    assert_eq!(service.message(&message), report(0, 0, 1));
    let letter = list_letters(&service).remove(0);
    assert_eq!(letter["complete"], true);
    assert_eq!(
        letter["reason"].as_str().unwrap(),
        format!("The leaderboard {} does not exist.", names[0])
    );
    assert!(letter["payload"].as_str().unwrap().len() < MAX_LETTER_BYTES / 2);
}

#[test]
fn a_message_fails_only_if_the_store_fails() {
    let service = create_service();
    service.store.down.set(true);
    let message =
        br#"{"tenant":"default","scores":[{"leaderboards":["goals"],"player":"p","score":1,"id":"1"}]}"#;
    assert!(block_on(leaderboard_score_messages::apply_message(&service, message)).is_err());
    assert!(block_on(leaderboard_score_messages::apply_message(&service, b"not json")).is_err());
    service.store.down.set(false);
    assert_eq!(
        block_on(leaderboard_score_messages::apply_message(&service, message)),
        Ok(report(1, 0, 0))
    );
}

/// Returns a message with one submission of player `p` for each list of leaderboards.
fn build_message(lists: &[Vec<String>]) -> String {
    let scores: Vec<Value> = lists
        .iter()
        .enumerate()
        .map(|(id, names)| json!({"leaderboards": names, "player": "p", "score": 1, "id": id.to_string()}))
        .collect();
    json!({"tenant": "default", "scores": scores}).to_string()
}

/// Runs the deferred work, lets a minute pass, and resets the counters.
fn reset_counters(service: &Instance) {
    service.settle();
    service.pass_ms(60_000);
    service.store.board_reads.set(0);
    service.store.most_leaderboards.set(0);
    service.key_value.configurations.set(0);
    service.key_value.puts.set(0);
}

#[test]
fn a_message_for_many_leaderboards_is_applied_in_parts() {
    const LEADERBOARDS: usize = 112;
    let service = Instance::new();
    service.store_is_remote.set(true);
    let names: Vec<String> = (0..LEADERBOARDS).map(|n| format!("b{n}")).collect();
    for name in &names {
        service.call(
            "PUT",
            &format!("/leaderboards/{name}"),
            r#"{"operator":"increment"}"#,
        );
    }
    let lists: Vec<_> = names.chunks(16).map(<[String]>::to_vec).collect();
    // Another instance has empty caches.
    let fresh = service.beside();
    reset_counters(&fresh);
    assert_eq!(fresh.message(build_message(&lists)), report(7, 0, 0));
    assert_eq!(
        (fresh.store.most_leaderboards.get(), fresh.store.board_reads.get()),
        (32, 4)
    );
    // One tombstone in the slot of the tenant's documents is enough for all its leaderboards.
    assert_eq!(fresh.key_value.puts.get(), 0);
    assert_eq!(fresh.message(build_message(&lists)), report(0, 7, 0));
    for name in &names {
        let entry = service.call("GET", &format!("/leaderboards/{name}/entries/p"), "");
        assert_eq!(entry.json()["entry"]["values"], json!({"score": 1}), "{name}");
    }
    assert!(list_letters(&service).is_empty());
}

#[test]
fn unknown_leaderboards_of_a_message_cost_as_much_as_in_a_request() {
    let service = Instance::new();
    service.store_is_remote.set(true);
    let lists: Vec<_> = (0..1000).map(|n| vec![format!("b{n}")]).collect();
    reset_counters(&service);
    assert_eq!(service.message(build_message(&lists)), report(0, 0, 1000));
    // Each leaderboard of the first part is accessed twice in the key-value store.
    assert_eq!(service.key_value.configurations.get(), 2 * 32);
    assert_eq!(service.key_value.puts.get(), 0);
    // One command reads the leaderboards of each part from the store.
    assert_eq!(service.store.board_reads.get(), 1000_u32.div_ceil(32));
}

#[test]
fn scores_that_were_applied_before_the_store_failed_are_counted_once() {
    let service = Instance::new();
    let names: Vec<String> = (0..48).map(|n| format!("b{n}")).collect();
    for name in &names {
        service.call("PUT", &format!("/leaderboards/{name}"), "{}");
    }
    let message = build_message(&names.chunks(16).map(<[String]>::to_vec).collect::<Vec<_>>());
    service.store.submit_calls_left.set(Some(1));
    assert!(
        block_on(leaderboard_score_messages::apply_message(
            &service,
            message.as_bytes()
        ))
        .is_err()
    );
    service.store.submit_calls_left.set(None);
    assert_eq!(service.message(&message), report(1, 2, 0));
    let usage = service.call("GET", "/tenants/default/usage", "").json();
    assert_eq!(usage["days"][0]["scores"], 3, "{usage}");
}
