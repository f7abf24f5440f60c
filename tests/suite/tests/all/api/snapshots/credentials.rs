//! Snapshots of keys, issuers and tokens.

use leaderboard_test_support::ApiResponse;
use serde_json::json;

use super::{INSTANT, compare, compare_with_replacements};
use crate::cases::api_cases;

/// An example of the id of a key.
const ID: &str = "3f2504e04f8911d3";
/// An example of a key.
const KEY: &str = "eb_acme_3f2504e04f8911d3_nobody-knows-the-secret";
/// An example of a token.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.nobody-knows-the-signature";

/// Returns a text field of a response.
fn text_field(response: &ApiResponse, name: &str) -> String {
    response.json()[name].as_str().unwrap().to_owned()
}

/// Compares a response that contains a key with its snapshot.
fn compare_key(name: &str, answer: &ApiResponse) {
    compare_with_replacements(
        name,
        answer,
        &[(&text_field(answer, "key"), KEY), (&text_field(answer, "id"), ID)],
    );
}

api_cases! {
    async fn keys(api) {
        let request = json!({"name": "match server", "scopes": ["scores:read", "scores:write"], "expires_at": "2030-01-01T00:00:00Z",
            "allowed_addresses": ["192.0.2.0/24"]});
        let made = api.post("/keys", &request).await;
        compare_key("key-created", &made);
        let id = text_field(&made, "id");
        let replacements = [(id.as_str(), ID)];
        compare_with_replacements("key-read", &api.get(&format!("/keys/{id}")).await, &replacements);
        compare_with_replacements("keys-listed", &api.get("/keys").await, &replacements);
        compare_with_replacements("v2-keys-listed", &api.get_v2("/keys").await, &replacements);
        compare_key("key-rotated", &api.post(&format!("/keys/{id}/rotate"), &json!({"overlap_s": 86_400})).await);
    }

    async fn issuers(api) {
        let issuer = json!({"issuer": "https://id.example.com", "audiences": ["game"], "discovery": true,
            "granted_scopes": ["scores:read", "scores:write"], "default_scopes": ["scores:read"]});
        compare("issuer-created", &api.put("/issuers/games", &issuer).await);
        compare("issuer-replaced", &api.put("/issuers/games", &issuer).await);
        compare("issuer-read", &api.get("/issuers/games").await);
        compare("issuers-listed", &api.get("/issuers").await);
        compare("v2-issuers-listed", &api.get_v2("/issuers").await);
    }

    async fn tokens(api) {
        let issued = api.post("/tokens", &json!({"player": "ann", "scopes": ["scores:read", "scores:write"]})).await;
        let replacements = [(text_field(&issued, "token"), TOKEN), (text_field(&issued, "expires_at"), INSTANT)];
        let replacements: Vec<_> = replacements.iter().map(|(own, other)| (own.as_str(), *other)).collect();
        compare_with_replacements("token-issued", &issued, &replacements);
    }

    async fn live_tickets(api) {
        api.create_leaderboard("goals", &json!({})).await;
        let issued = api.post("/leaderboards/goals/live-tickets", &json!({"player": "ann"})).await;
        let replacements = [(text_field(&issued, "ticket"), TOKEN), (text_field(&issued, "expires_at"), INSTANT)];
        let replacements: Vec<_> = replacements.iter().map(|(own, other)| (own.as_str(), *other)).collect();
        compare_with_replacements("live-ticket-issued", &issued, &replacements);
    }
}
