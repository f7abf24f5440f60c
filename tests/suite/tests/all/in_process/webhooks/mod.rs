//! Tests of webhooks with a moved clock, and with receivers that answer what a test says.

mod documents;
mod events;
mod messages;
mod receivers;

use leaderboard_environment::{FetchError, PostResponse};
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Posted};

const HOOK: &str = "/webhooks/hook";
const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Creates a service with the leaderboard `b` and the webhook `hook`, which gets these events. Returns the secret, too.
fn create_service(events: &[&str]) -> (Instance, String) {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/b", "{}").expect_status(201);
    let secret = create_webhook(&service, "hook", events);
    (service, secret)
}

/// Creates a webhook, and returns its secret.
fn create_webhook(service: &Instance, id: &str, events: &[&str]) -> String {
    let body = json!({"url": format!("https://{id}.example/"), "events": events});
    let made = service
        .call("PUT", &format!("/webhooks/{id}"), body)
        .expect_status(201);
    made["secret"].as_str().unwrap().to_owned()
}

/// Submits a score to the leaderboard `b`.
fn submit(service: &Instance, player: &str, score: i64) {
    let body = json!({"player": player, "score": score});
    service
        .call("POST", "/leaderboards/b/scores", body)
        .expect_status(200);
}

/// Lets receivers answer with these statuses, one after another.
fn answer_with(service: &Instance, statuses: &[u16]) {
    let answers = statuses.iter().map(|status| {
        Ok(PostResponse {
            status: *status,
            retry_after: None,
        })
    });
    service.web.answers.borrow_mut().extend(answers);
}

fn answer_once(service: &Instance, answer: Result<PostResponse, FetchError>) {
    service.web.answers.borrow_mut().push_back(answer);
}

/// Runs deliveries, and returns the report.
fn tick(service: &Instance) -> Value {
    let answer = service.send_at("POST", "/internal/webhooks/tick", &[("x-api-key", ADMIN_KEY)]);
    answer.expect_status(200)
}

/// Runs deliveries, and returns what the receivers got.
fn deliver(service: &Instance) -> Vec<Posted> {
    service.web.posted.borrow_mut().clear();
    tick(service);
    service.web.posted.take()
}

/// Runs deliveries to receivers that accept everything. Returns the type and the data of each message.
fn deliver_events(service: &Instance) -> Vec<(String, Value)> {
    answer_with(service, &[204; 50]);
    let posted = deliver(service);
    service.web.answers.borrow_mut().clear();
    posted
        .iter()
        .map(|posted| {
            let mut event: Value = serde_json::from_str(&posted.body).unwrap();
            let event_type = event["type"].as_str().unwrap().to_owned();
            (event_type, event["data"].take())
        })
        .collect()
}

fn read_status(service: &Instance) -> Value {
    service
        .call("GET", "/webhooks/hook/status", "")
        .expect_status(200)
}

fn list_messages(service: &Instance) -> Vec<Value> {
    let page = service
        .call("GET", "/webhooks/hook/deliveries", "")
        .expect_status(200);
    page["deliveries"].as_array().unwrap().clone()
}
