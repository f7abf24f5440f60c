//! What errors about credentials tell.

use serde_json::{Value, json};

use super::world::Region;

#[test]
fn every_scope_is_checked_and_the_nearest_is_suggested() {
    let instance = Region::new().instance();
    let body = json!({"name": "k", "scopes": ["score:read", "scores:wirte", "nonsense"]});
    let refused = instance.operator("POST", "/keys", &body).json();
    let errors = refused["errors"].as_array().unwrap();
    let found: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| {
            (
                error["pointer"].as_str().unwrap(),
                error["detail"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(found.len(), 3);
    assert!(
        found[0].0 == "#/scopes/0" && found[0].1.ends_with("did you mean scores:read?"),
        "{found:?}"
    );
    assert!(
        found[1].0 == "#/scopes/1" && found[1].1.ends_with("did you mean scores:write?"),
        "{found:?}"
    );
    assert!(
        found[2].0 == "#/scopes/2" && !found[2].1.contains("did you mean"),
        "{found:?}"
    );
}

#[test]
fn a_refusal_names_the_scope_that_is_needed() {
    let instance = Region::new().instance();
    instance.make_board();
    let (_, read) = instance.make_key(&json!({"name": "n", "scopes": ["scores:read"]}));
    let score = r#"{"player": "p", "score": 1}"#;
    for (method, path, body, needed) in [
        ("PUT", "/leaderboards/b", "{}", "This needs the scope admin."),
        (
            "POST",
            "/leaderboards/b/scores",
            score,
            "This needs the scope scores:write.",
        ),
        ("GET", "/operator/limits", "", "This needs the operator's key."),
    ] {
        let refused = instance.with_key(&read, method, path, body);
        assert_eq!(
            (refused.status, refused.json()["detail"].as_str()),
            (403, Some(needed)),
            "{path}"
        );
    }
}

#[test]
fn what_is_missing_is_named() {
    let instance = Region::new().instance();
    for (path, name) in [
        ("/keys/0123456789abcdef", "0123456789abcdef"),
        ("/issuers/none", "none"),
    ] {
        let missing = instance.operator("GET", path, &Value::Null);
        assert_eq!(missing.status, 404);
        assert!(
            missing.json()["detail"].as_str().unwrap().contains(name),
            "{missing:?}"
        );
    }
}
