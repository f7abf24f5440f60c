//! What the audit log says of credentials.

use serde_json::{Value, json};

use super::world::Region;

#[test]
fn a_keys_acts_and_its_refusals_are_in_its_tenants_log_under_its_id() {
    let region = Region::new();
    let instance = region.instance();
    let (id, key) = instance.make_key(&json!({"name": "k", "scopes": ["admin"]}));
    assert_eq!(
        instance.with_key(&key, "PUT", "/leaderboards/b", "{}").status,
        201
    );
    let revoked = instance.operator("DELETE", &format!("/keys/{id}"), &Value::Null);
    assert_eq!(revoked.status, 204);
    let other = region.instance();
    assert_eq!(other.with_key(&key, "PUT", "/leaderboards/c", "{}").status, 401);
    let log = instance.operator("GET", "/audit", &Value::Null).json();
    let told: Vec<String> = log["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            let event = &record["event"];
            format!("{} {} {}", event["type"], event["who"], event["route"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            format!("refused {{credential:key,id:{id}}} null"),
            "act {credential:operator} /keys/:key".to_owned(),
            format!("act {{credential:key,id:{id}}} /leaderboards/:leaderboard"),
            "act {credential:operator} /keys".to_owned(),
        ]
    );
    assert!(!log.to_string().contains(&key));
}

#[test]
fn a_key_that_is_none_is_in_the_operators_log() {
    let region = Region::new();
    let instance = region.instance();
    assert_eq!(
        instance
            .with_key("eb_nonsense", "GET", "/leaderboards", "")
            .status,
        401
    );
    assert_eq!(
        instance.operator("GET", "/audit", &Value::Null).json()["records"],
        json!([])
    );
    let log = instance.operator("GET", "/operator/audit", &Value::Null).json();
    assert_eq!(
        log["records"][0]["event"]["who"],
        json!({"credential": "unknown_key"})
    );
}
