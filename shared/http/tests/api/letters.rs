//! Letters of messages that are wrong as a whole, and of submissions whose time is not now.

use futures::executor::block_on;
use leaderboard_http::message::{self, MessageReport, OnRebuild};
use serde_json::{Value, json};

use crate::service::Service;

fn service() -> Service {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", r#"{"operator":"increment"}"#);
    service
}

fn buried(count: usize) -> MessageReport {
    MessageReport {
        buried: count,
        ..MessageReport::default()
    }
}

fn score(id: usize) -> Value {
    json!({"leaderboards": ["goals"], "player": "p", "score": 1, "id": id.to_string()})
}

fn batch(count: usize) -> Value {
    let scores: Vec<Value> = (0..count).map(score).collect();
    json!({"tenant": "default", "scores": scores})
}

/// All letters, newest first.
fn letters(service: &Service) -> Vec<Value> {
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

fn replay(service: &Service, letter: &Value) -> u16 {
    let id = letter["id"].as_str().unwrap();
    let replayed = service.call("POST", &format!("/dead-letters/{id}/replay"), "");
    replayed.status
}

#[test]
fn a_score_that_meets_a_rebuild_at_the_last_try_is_buried_with_that_reason() {
    let service = service();
    let message = batch(1).to_string();
    service.store.is_rebuilding.set(true);
    let waiting = MessageReport {
        waiting: 1,
        ..MessageReport::default()
    };
    for _ in 0..2 {
        assert_eq!(service.message(&message), waiting);
    }
    assert!(letters(&service).is_empty());
    let last = message::apply_with(&service, message.as_bytes(), OnRebuild::Bury);
    assert_eq!(block_on(last), Ok(buried(1)));
    let letters = letters(&service);
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("is being put into another order"), "{reason}");
    assert_eq!(replay(&service, &letters[0]), 503, "it still is");
    service.store.is_rebuilding.set(false);
    assert_eq!(replay(&service, &letters[0]), 200);
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 1}));
}

#[test]
fn a_score_of_the_future_is_kept_once_however_often_and_wherever_it_comes() {
    let service = service();
    let mut message = batch(1);
    message["scores"][0]["occurred_at"] = json!("2026-07-19T21:06:00Z");
    for _ in 0..3 {
        assert_eq!(service.message(&message.to_string()), buried(1));
        service.pass_ms(17);
    }
    let letters = letters(&service);
    assert_eq!(letters.len(), 1, "{letters:?}");
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(
        reason.ends_with("#/scores/0/occurred_at: was in the future"),
        "{reason}"
    );
}
