//! Scores that come as messages.

use futures::executor::block_on;
use leaderboard_http::message::{self, MAX_LETTER_BYTES, MessageReport};
use serde_json::{Value, json};

use crate::service::Service;

fn service() -> Service {
    let service = Service::new();
    service.call(
        "PUT",
        "/leaderboards/goals",
        r#"{"operator":"increment","limits":{"max":10}}"#,
    );
    service
}

fn report(applied: usize, replayed: usize, buried: usize) -> MessageReport {
    MessageReport {
        applied,
        replayed,
        buried,
    }
}

fn letters(service: &Service) -> Vec<Value> {
    let page = service.call("GET", "/dead-letters", "").json();
    page["letters"].as_array().unwrap().clone()
}

#[test]
fn a_message_counts_once_however_often_it_comes() {
    let service = service();
    let message = r#"{"tenant":"default","scores":[{"leaderboards":["goals"],"player":"p","score":1,"id":"1"},{"leaderboards":["goals"],"player":"p","score":2,"id":"2"}]}"#;
    assert_eq!(service.message(message), report(2, 0, 0));
    assert_eq!(service.message(message), report(0, 2, 0));
    let entry = service.call("GET", "/leaderboards/goals/entries/p", "").json();
    assert_eq!(entry["entry"]["values"], json!({"score": 3}));
    assert!(letters(&service).is_empty());
}

#[test]
fn bad_items_are_buried_alone_and_the_others_applied() {
    let service = service();
    let message = r#"{"tenant":"default","scores":[
        {"leaderboards":["goals"],"player":"p","score":1.5,"id":"1"},
        {"leaderboards":["goals"],"player":"p","score":2},
        7,
        {"leaderboards":["goals"],"player":"p","score":11,"id":"3"},
        {"leaderboards":["goals"], "player":"p", "score":4, "id":"4"}]}"#;
    for again in [false, true] {
        let expected = if again { report(0, 1, 4) } else { report(1, 0, 4) };
        assert_eq!(service.message(message), expected);
    }
    let letters = letters(&service);
    let told: Vec<(&str, &str)> = letters
        .iter()
        .rev()
        .map(|letter| {
            (
                letter["reason"].as_str().unwrap(),
                letter["payload"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told.len(), 4);
    assert!(
        told[0]
            .0
            .ends_with("#/scores/0/score: must be an integer, without fraction and exponent")
    );
    assert_eq!(
        told[0].1,
        r#"{"tenant":"default","scores":[{"leaderboards":["goals"],"player":"p","score":1.5,"id":"1"}]}"#
    );
    assert!(told[1].0.contains("#/scores/0/id: is required"));
    assert_eq!(told[2].1, r#"{"tenant":"default","scores":[7]}"#);
    assert!(told[3].0.contains("above the leaderboard's max of 10"));
    assert_eq!(letters[0]["at"], "2026-07-19T21:04:00.000Z");
}

#[test]
fn what_cannot_be_read_is_buried_whole() {
    let service = service();
    let long = format!("[\"{}\"]", "x".repeat(MAX_LETTER_BYTES));
    for bad in [
        "",
        "not json",
        "{}",
        r#"{"tenant":"T","scores":[]}"#,
        r#"{"tenant":"a","scores":[{}],"x":1}"#,
        &long,
    ] {
        assert_eq!(service.message(bad), report(0, 0, 1), "{bad}");
    }
    let letters = letters(&service);
    assert_eq!(letters.len(), 6);
    assert_eq!(letters[4]["payload"], "not json");
    assert_eq!(letters[0]["payload"].as_str().unwrap().len(), MAX_LETTER_BYTES);
}

#[test]
fn only_the_store_makes_a_message_fail() {
    let service = service();
    service.store.down.set(true);
    let message =
        br#"{"tenant":"default","scores":[{"leaderboards":["goals"],"player":"p","score":1,"id":"1"}]}"#;
    assert!(block_on(message::apply(&service, message)).is_err());
    assert!(block_on(message::apply(&service, b"not json")).is_err());
    service.store.down.set(false);
    assert_eq!(block_on(message::apply(&service, message)), Ok(report(1, 0, 0)));
}
