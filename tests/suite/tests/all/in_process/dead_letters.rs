//! Tests of dead letters: of faulty messages, and of submissions that cannot be applied now.

use leaderboard_pipeline::MAX_BODY_BYTES;
use leaderboard_score_messages::{
    LEASE_MS, MAX_ATTEMPTS, MAX_LETTER_BYTES, MAX_SPLIT_BYTES, MAX_SPLIT_SCORES, MessageReport,
};
use serde_json::{Value, json};

use crate::in_process::environment::Instance;
use crate::in_process::queue::tick;

fn create_service() -> Instance {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", r#"{"operator":"increment"}"#);
    service
}

/// Returns the report of a message that became `count` dead letters.
fn report_dead_letters(count: usize) -> MessageReport {
    MessageReport {
        dead_letters: count,
        ..MessageReport::default()
    }
}

fn build_score(id: usize) -> Value {
    json!({"leaderboards": ["goals"], "player": "p", "score": 1, "id": id.to_string()})
}

/// Returns a message with `count` submissions.
fn build_batch(count: usize) -> Value {
    let scores: Vec<Value> = (0..count).map(build_score).collect();
    json!({"tenant": "default", "scores": scores})
}

/// Returns all dead letters, newest first.
pub(super) fn list_letters(service: &Instance) -> Vec<Value> {
    let mut seen = Vec::new();
    let mut path = "/dead-letters?limit=1000".to_owned();
    loop {
        let page = service.call("GET", &path, "").json();
        seen.extend(page["letters"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            return seen;
        };
        path = format!("/dead-letters?limit=1000&cursor={next}");
    }
}

/// Replays a dead letter. Returns the status.
fn replay_letter(service: &Instance, letter: &Value) -> u16 {
    let id = letter["id"].as_str().unwrap();
    let replayed = service.call("POST", &format!("/dead-letters/{id}/replay"), "");
    replayed.status
}

#[test]
fn a_score_during_a_rebuild_waits_in_the_queue() {
    let service = create_service();
    let message = build_batch(1).to_string();
    service.store.is_rebuilding.set(true);
    let queued = MessageReport {
        queued: 1,
        ..MessageReport::default()
    };
    // Every region receives the message, and the queue has it once.
    assert_eq!(service.message(&message), queued);
    assert_eq!(service.elsewhere().message(&message), queued);
    assert_eq!(tick(&service), json!({"finished": 0, "retried": 1, "dead": 0}));
    service.store.is_rebuilding.set(false);
    service.pass_ms(i64::from(LEASE_MS));
    assert_eq!(tick(&service), json!({"finished": 1, "retried": 0, "dead": 0}));
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 1}));
    assert!(list_letters(&service).is_empty());
}

#[test]
fn a_score_becomes_a_dead_letter_at_its_last_attempt() {
    let service = create_service();
    service.store.is_rebuilding.set(true);
    service.message(build_batch(1).to_string());
    for _ in 1..MAX_ATTEMPTS {
        assert_eq!(tick(&service)["retried"], 1);
        service.pass_ms(i64::from(LEASE_MS));
    }
    assert!(list_letters(&service).is_empty());
    assert_eq!(tick(&service), json!({"finished": 0, "retried": 0, "dead": 1}));
    let letters = list_letters(&service);
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("is being put into another order"), "{reason}");
    assert_eq!(
        replay_letter(&service, &letters[0]),
        503,
        "the rebuild is not over"
    );
    service.store.is_rebuilding.set(false);
    assert_eq!(replay_letter(&service, &letters[0]), 200);
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 1}));
}

#[test]
fn a_message_that_is_published_again_after_its_dead_letters_is_queued_again() {
    let service = create_service();
    let message = build_batch(1).to_string();
    service.store.is_rebuilding.set(true);
    service.message(&message);
    for _ in 0..MAX_ATTEMPTS {
        tick(&service);
        service.pass_ms(i64::from(LEASE_MS));
    }
    assert_eq!(list_letters(&service).len(), 1);
    for region in [&service, &service.elsewhere()] {
        assert_eq!(region.message(&message).queued, 1);
    }
    service.store.is_rebuilding.set(false);
    assert_eq!(tick(&service), json!({"finished": 1, "retried": 0, "dead": 0}));
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 1}));
    // A copy that comes after this one was applied is a replay.
    assert_eq!(service.message(&message).replayed, 1);
}

#[test]
fn each_submission_of_a_batch_that_is_too_large_becomes_a_dead_letter() {
    let service = create_service();
    assert_eq!(
        service.message(build_batch(1001).to_string()),
        report_dead_letters(1001)
    );
    assert_eq!(
        service.store.letter_pushes.take(),
        2,
        "one command stores up to 1000 dead letters"
    );
    let letters = list_letters(&service);
    assert_eq!(letters.len(), 1001);
    for (letter, id) in letters.iter().rev().zip(0..) {
        assert_eq!(
            (&letter["complete"], &letter["tenant"]),
            (&json!(true), &json!("default"))
        );
        let kept: Value = serde_json::from_str(letter["payload"].as_str().unwrap()).unwrap();
        assert_eq!(kept, json!({"tenant": "default", "scores": [build_score(id)]}));
        let reason = letter["reason"].as_str().unwrap();
        assert!(reason.contains("must have 1 to 1000 submissions"), "{reason}");
    }
    assert_eq!(replay_letter(&service, &letters[7]), 200);
}

#[test]
fn each_submission_of_a_faulty_message_becomes_a_dead_letter() {
    let service = create_service();
    let mut long = build_batch(2);
    long["scores"][0]["metadata"] = json!({"note": "x".repeat(MAX_BODY_BYTES)});
    assert_eq!(service.message(long.to_string()), report_dead_letters(2));
    let mut named = build_batch(2);
    named["more"] = json!(1);
    named["scores"][0] = json!(7);
    named["x".repeat(9_000)] = json!(1);
    assert_eq!(service.message(named.to_string()), report_dead_letters(2));
    let letters = list_letters(&service);
    let found: Vec<_> = letters
        .iter()
        .rev()
        .map(|letter| {
            (
                letter["reason"].as_str().unwrap(),
                letter["complete"].as_bool().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("#/scores/0/metadata", false),
        ("The body is too large", true),
        ("#/scores/0: must be an object", true),
        ("#/more: is not a field", true),
    ];
    assert_eq!(found.len(), expected.len());
    for ((reason, complete), (words, expected_complete)) in found.into_iter().zip(expected) {
        assert!(reason.contains(words), "{reason}");
        assert_eq!(complete, expected_complete, "{reason}");
        assert!(reason.len() < 3_000, "a long reason is cut");
    }
    assert_eq!(replay_letter(&service, &letters[0]), 200);
}

#[test]
fn an_unreadable_message_becomes_one_dead_letter() {
    let service = create_service();
    let bad: [(&[u8], &str); 9] = [
        (b"", "not valid JSON"),
        (b"not json", "not valid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "#: must be an object"),
        (br#"{"scores":[{}]}"#, "#/tenant: is required"),
        (br#"{"tenant":"No Such","scores":[{}]}"#, "#/tenant"),
        (br#"{"tenant":"a"}"#, "#/scores: is required"),
        (br#"{"tenant":"a","scores":[]}"#, "#/scores"),
        (br#"{"tenant":"a","scores":[],"x":1}"#, "#/x: is not a field"),
    ];
    for (payload, _) in bad {
        assert_eq!(service.message(payload), report_dead_letters(1), "{payload:?}");
    }
    let letters = list_letters(&service);
    assert_eq!(letters.len(), bad.len());
    for (letter, (payload, reason)) in letters.iter().rev().zip(bad) {
        assert!(letter["reason"].as_str().unwrap().contains(reason), "{letter}");
        assert_eq!(letter["payload"], *String::from_utf8_lossy(payload));
    }
}

#[test]
fn a_message_that_cannot_be_split_is_one_dead_letter() {
    let service = create_service();
    let mut huge = build_batch(2);
    huge["scores"][0]["metadata"] = json!({"note": "x".repeat(MAX_SPLIT_BYTES)});
    let mut broken = build_batch(1001).to_string();
    broken.pop();
    let bad = [
        build_batch(MAX_SPLIT_SCORES + 1).to_string(),
        huge.to_string(),
        broken,
    ];
    for message in &bad {
        assert_eq!(service.message(message), report_dead_letters(1));
    }
    let letters = list_letters(&service);
    assert_eq!(letters.len(), bad.len());
    for letter in &letters {
        assert_eq!(letter["complete"], false);
        assert_eq!(letter["payload"].as_str().unwrap().len(), MAX_LETTER_BYTES);
    }
}

#[test]
fn a_repeated_message_with_a_score_from_the_future_leaves_one_dead_letter() {
    let service = create_service();
    let mut message = build_batch(1);
    message["scores"][0]["occurred_at"] = json!("2026-07-19T21:06:00Z");
    for _ in 0..3 {
        assert_eq!(service.message(message.to_string()), report_dead_letters(1));
        service.pass_ms(17);
    }
    let letters = list_letters(&service);
    assert_eq!(letters.len(), 1, "{letters:?}");
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(
        reason.ends_with("#/scores/0/occurred_at: was in the future"),
        "{reason}"
    );
}

#[test]
fn messages_and_requests_share_the_entry_quota() {
    let service = Instance::new();
    service.call("PUT", "/tenants/acme", r#"{"quotas":{"entries":2}}"#);
    let acme = [("x-tenant-id", "acme")];
    service
        .call_with("PUT", "/leaderboards/one", "{}", &acme)
        .expect_status(201);
    let submit = |player: &str| {
        let body = json!({"player": player, "score": 1}).to_string();
        service.call_with("POST", "/leaderboards/one/scores", &body, &acme)
    };
    let send_message = |player: &str| {
        let score = json!({"leaderboards": ["one"], "player": player, "score": 1, "id": player});
        service.message(json!({"tenant": "acme", "scores": [score]}).to_string())
    };
    submit("a").expect_status(200);
    assert_eq!(send_message("b").applied, 1);
    assert_eq!(submit("c").problem().1, "quota-reached");
    assert_eq!(send_message("d").dead_letters, 1);
    submit("a").expect_status(200);
}
