//! Keys, issuers, tokens.

use serde_json::json;

use super::{INSTANT, compare, compare_but};
use crate::edgeboard::{Edgeboard, Reply, over_http};

/// What stands in for a key's id and its text, and for a token.
const ID: &str = "3f2504e04f8911d3";
const KEY: &str = "eb_acme_3f2504e04f8911d3_nobody-knows-the-secret";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.nobody-knows-the-signature";

fn text(answer: &Reply, name: &str) -> String {
    answer.json()[name].as_str().unwrap().to_owned()
}

/// Compares an answer that shows a key.
fn compare_key(name: &str, answer: &Reply) {
    compare_but(
        name,
        answer,
        &[(&text(answer, "key"), KEY), (&text(answer, "id"), ID)],
    );
}

async fn second(edgeboard: &Edgeboard, path: &str) -> Reply {
    edgeboard.anywhere("GET", &format!("/api/v2{path}")).send().await
}

over_http! {
    async fn keys(edgeboard) {
        let asked = json!({"name": "match server", "scopes": ["scores:read", "scores:write"], "expires_at": "2030-01-01T00:00:00Z",
            "allowed_addresses": ["192.0.2.0/24"]});
        let made = edgeboard.post("/keys", &asked).await;
        compare_key("key-created", &made);
        let id = text(&made, "id");
        let instead = [(id.as_str(), ID)];
        compare_but("key-read", &edgeboard.get(&format!("/keys/{id}")).await, &instead);
        compare_but("keys-listed", &edgeboard.get("/keys").await, &instead);
        compare_but("v2-keys-listed", &second(edgeboard, "/keys").await, &instead);
        compare_key("key-rotated", &edgeboard.post(&format!("/keys/{id}/rotate"), &json!({"overlap_s": 86_400})).await);
    }

    async fn issuers(edgeboard) {
        let issuer = json!({"issuer": "https://id.example.com", "audiences": ["game"], "discovery": true,
            "granted_scopes": ["scores:read", "scores:write"], "default_scopes": ["scores:read"]});
        compare("issuer-created", &edgeboard.put("/issuers/games", &issuer).await);
        compare("issuer-replaced", &edgeboard.put("/issuers/games", &issuer).await);
        compare("issuer-read", &edgeboard.get("/issuers/games").await);
        compare("issuers-listed", &edgeboard.get("/issuers").await);
        compare("v2-issuers-listed", &second(edgeboard, "/issuers").await);
    }

    async fn tokens(edgeboard) {
        let issued = edgeboard.post("/tokens", &json!({"player": "ann", "scopes": ["scores:read", "scores:write"]})).await;
        let instead = [(text(&issued, "token"), TOKEN), (text(&issued, "expires_at"), INSTANT)];
        let instead: Vec<_> = instead.iter().map(|(own, other)| (own.as_str(), *other)).collect();
        compare_but("token-issued", &issued, &instead);
    }
}
