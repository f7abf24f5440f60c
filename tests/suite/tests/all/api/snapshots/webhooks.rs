//! Snapshots of webhooks and their messages.

use leaderboard_test_support::ApiResponse;
use serde_json::json;

use super::{compare, compare_with_replacements};
use crate::cases::api_cases;

/// An example of a secret.
const SECRET: &str = "whsec_bm9ib2R5LWtub3dzLXRoZS1zZWNyZXQ=";
/// An example of the id of a message.
const MESSAGE: &str = "msg_019f7b1d2c000a1b2c3d4e5f60718293a4b5c6d7";

fn compare_secret(name: &str, response: &ApiResponse) {
    let secret = response.json()["secret"].as_str().unwrap().to_owned();
    compare_with_replacements(name, response, &[(&secret, SECRET)]);
}

/// Returns the text that a pointer leads to.
fn text_at(response: &ApiResponse, pointer: &str) -> String {
    response
        .json()
        .pointer(pointer)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

api_cases! {
    async fn webhooks(api) {
        api.create_leaderboard("goals", &json!({})).await;
        // No test grants this host.
        let webhook = json!({"url": "https://hooks.example.com/edgeboard", "title": "Chat", "events": ["score.accepted", "leader.changed"],
            "leaderboards": ["goals"]});
        compare_secret("webhook-created", &api.put("/webhooks/chat", &webhook).await);
        compare("webhook-replaced", &api.put("/webhooks/chat", &webhook).await);
        compare("webhook-read", &api.get("/webhooks/chat").await);
        compare("webhooks-listed", &api.get("/webhooks").await);
        compare("v2-webhooks-listed", &api.get_v2("/webhooks").await);
        compare_secret("webhook-rotated", &api.post("/webhooks/chat/rotate", &json!({"overlap_s": 3600})).await);
        let pinged = api.request("POST", "/webhooks/chat/ping").send().await;
        compare_with_replacements("webhook-pinged", &pinged, &[(&text_at(&pinged, "/message"), MESSAGE)]);
        let submission = json!({"player": "ann", "score": 3, "occurred_at": "2026-11-21T10:00:00Z"});
        api.post("/leaderboards/goals/scores", &submission).await.expect_status(200);
        let is_tried = |status: &ApiResponse| !status.json()["attempts"][1].is_null();
        let read = async || {
            api.request_at("POST", "/internal/webhooks/tick").send().await.expect_status(200);
            api.get("/webhooks/chat/status").await
        };
        let status = leaderboard_test_support::wait_until(read, is_tried).await;
        let ids: Vec<String> = ["/attempts/0/message", "/attempts/1/message"].map(|at| text_at(&status, at)).into();
        let mut replacements: Vec<_> = ids.iter().map(|id| (id.as_str(), MESSAGE)).collect();
        replacements.push((&api.tenant, "acme"));
        compare_with_replacements("webhook-status", &status, &replacements);
        let waiting = api.get("/webhooks/chat/deliveries?limit=1").await;
        compare_with_replacements("webhook-deliveries", &waiting, &replacements);
        let waiting = api.get_v2("/webhooks/chat/deliveries?limit=1").await;
        compare_with_replacements("v2-webhook-deliveries", &waiting, &replacements);
        let id = text_at(&waiting, "/data/0/id");
        let replayed = api.request("POST", &format!("/webhooks/chat/deliveries/{id}/replay")).send().await;
        compare_with_replacements("webhook-delivery-replayed", &replayed, &replacements);
        api.delete("/webhooks/chat").await.expect_status(204);
        let run = api.request_at("POST", "/internal/webhooks/tick").send().await;
        compare("webhooks-delivered", &run);
    }
}
