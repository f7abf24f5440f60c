//! Flags, evaluated with the credentials of a tenant.

use serde_json::{Value, json};

use super::world::{Instance, Region};

const ALL: &str = "/ofrep/v1/evaluate/flags";

/// Yes where a member of the context has this value.
fn by(member: &str, value: &str) -> Value {
    json!({ "state": "ENABLED", "variants": { "yes": true, "no": false }, "defaultVariant": "no",
        "targeting": { "if": [{ "==": [{ "var": member }, value] }, "yes"] } })
}

fn world() -> (Instance, String) {
    let instance = Region::new().instance();
    let flags = json!({ "player": by("player", "ann"), "share": by("targetingKey", "ann"), "tenant": by("tenant", "acme") });
    let put = instance.operator("PUT", "/flags", &json!({ "flags": flags }));
    assert_eq!(put.status, 201, "{put:?}");
    let scopes = json!(["scores:read", "scores:write"]);
    let key = instance
        .make_key(&json!({ "name": "server", "scopes": scopes }))
        .1;
    (instance, key)
}

/// What the flags `player`, `share` and `tenant` are.
fn values(answer: &Value) -> [bool; 3] {
    let flags = answer["flags"].as_array().unwrap();
    let value = |key: &str| {
        flags.iter().find(|flag| flag["key"] == key).unwrap()["value"]
            .as_bool()
            .unwrap()
    };
    [value("player"), value("share"), value("tenant")]
}

#[test]
fn a_players_own_token_says_who_is_asked_for() {
    let (instance, key) = world();
    let issued = instance
        .with_key(&key, "POST", "/tokens", r#"{"player":"ann"}"#)
        .json();
    let token = issued["token"].as_str().unwrap();
    let ask = |context: Value| {
        let answer = instance.with_token(token, "POST", ALL, &json!({ "context": context }).to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        values(&answer.json())
    };
    assert_eq!(ask(json!({})), [true, true, true]);
    assert_eq!(
        ask(json!({ "player": "bob", "tenant": "other" })),
        [true, true, true]
    );
    assert_eq!(ask(json!({ "targetingKey": "device" })), [true, false, true]);
    let one = instance.with_token(
        token,
        "POST",
        "/ofrep/v1/evaluate/flags/player",
        r#"{"context":{}}"#,
    );
    assert_eq!(one.json()["value"], true);
}

#[test]
fn a_server_asks_for_anybody_and_configures_nothing() {
    let (instance, key) = world();
    let ask = |context: Value| {
        let answer = instance.with_key(&key, "POST", ALL, &json!({ "context": context }).to_string());
        values(&answer.json())
    };
    assert_eq!(ask(json!({})), [false, false, true]);
    assert_eq!(
        ask(json!({ "player": "ann", "targetingKey": "ann" })),
        [true, true, true]
    );
    assert_eq!(instance.with_key(&key, "GET", "/flags", "").problem().0, 403);
    assert_eq!(instance.with_key(&key, "PUT", "/flags", "{}").problem().0, 403);
    let admin = instance
        .make_key(&json!({ "name": "admin", "scopes": ["admin"] }))
        .1;
    assert_eq!(instance.with_key(&admin, "GET", "/flags", "").status, 200);
    assert_eq!(
        instance
            .with_key(&admin, "GET", "/operator/flags", "")
            .problem()
            .0,
        403
    );
    let writer = instance
        .make_key(&json!({ "name": "writer", "scopes": ["scores:write"] }))
        .1;
    assert_eq!(
        instance
            .with_key(&writer, "POST", ALL, r#"{"context":{}}"#)
            .problem()
            .0,
        403
    );
}

#[test]
fn keys_are_made_and_revoked_while_writes_are_off() {
    let (instance, key) = world();
    instance.make_board();
    let off = json!({ "state": "ENABLED", "variants": { "off": false }, "defaultVariant": "off" });
    let put = instance.operator("PUT", "/flags", &json!({ "flags": { "edgeboard.writes": off } }));
    assert_eq!(put.status, 200, "{put:?}");
    let score = r#"{"player":"ann","score":1}"#;
    let refused = instance.with_key(&key, "POST", "/leaderboards/b/scores", score);
    assert_eq!(refused.problem().1, "writes-disabled");
    for method in ["PUT", "DELETE"] {
        let ban = instance.operator(method, "/players/scores/ban", &Value::Null);
        assert_ne!(ban.status, 503, "{method}: {ban:?}");
    }
    assert_eq!(
        instance
            .with_key(&key, "POST", "/tokens", r#"{"player":"ann"}"#)
            .status,
        201
    );
    let (id, _) = instance.make_key(&json!({ "name": "other", "scopes": ["scores:read"] }));
    assert_eq!(
        instance
            .operator("DELETE", &format!("/keys/{id}"), &Value::Null)
            .status,
        204
    );
}
