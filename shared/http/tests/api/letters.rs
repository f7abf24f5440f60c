//! Letters of messages that are wrong as a whole, and of submissions whose time is not now.

use leaderboard_http::message::MessageReport;
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
