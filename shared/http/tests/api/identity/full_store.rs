//! A store that is out of memory: it refuses every charge, every audit record and every score. What takes data out is done.

use serde_json::{Value, json};

use super::world::{Instance, Region};

/// A leaderboard of acme with a score, and a key that may do everything.
fn world() -> (Region, Instance, String) {
    let region = Region::new();
    let instance = region.instance();
    let (_, key) =
        instance.make_key(&json!({"name": "k", "scopes": ["admin", "scores:write", "scores:read"]}));
    for id in ["b", "c"] {
        let path = format!("/leaderboards/{id}");
        assert_eq!(instance.with_key(&key, "PUT", &path, "{}").status, 201);
        let score = r#"{"player":"p","score":1}"#;
        assert_eq!(
            instance
                .with_key(&key, "POST", &format!("{path}/scores"), score)
                .status,
            200
        );
    }
    (region, instance, key)
}

/// How many acts the audit log has, and how many it refused.
fn acts(instance: &Instance) -> (usize, u64) {
    let log = instance.operator("GET", "/audit?limit=1000", &Value::Null).json();
    let records = log["records"].as_array().unwrap().iter();
    let acts = records.filter(|record| record["event"]["type"] == "act").count();
    let slots = instance.counted();
    (
        acts,
        slots.get("edgeboard_acts_unrecorded_total").copied().unwrap_or(0),
    )
}

#[test]
fn what_takes_data_out_is_done_and_what_adds_some_is_refused() {
    let (region, instance, key) = world();
    let before = acts(&instance);
    region.store.is_full.set(true);
    for (method, path, body) in [
        ("PUT", "/leaderboards/d", "{}"),
        ("PATCH", "/leaderboards/b", r#"{"title":"B"}"#),
        ("POST", "/leaderboards/b/scores", r#"{"player":"q","score":1}"#),
    ] {
        let refused = instance.with_key(&key, method, path, body);
        assert_eq!(
            refused.problem(),
            (503, "unavailable".into(), String::new()),
            "{method} {path}"
        );
    }
    for (method, path) in [
        ("PUT", "/players/q/ban"),
        ("DELETE", "/players/q/ban"),
        ("DELETE", "/leaderboards/b/scores/p"),
        ("DELETE", "/leaderboards/c"),
    ] {
        let done = instance.with_key(&key, method, path, "");
        assert_eq!(done.status, 204, "{method} {path}: {done:?}");
        assert!(done.headers.contains_key("ratelimit"), "{done:?}");
        // The log line says what the audit log does not have.
        assert_eq!(done.log.level, leaderboard_http::Level::Error);
        assert!(done.log.cause.unwrap().contains("not recorded"));
    }
    region.store.is_full.set(false);
    assert_eq!(instance.with_key(&key, "GET", "/leaderboards/c", "").status, 404);
    let gone = instance.with_key(&key, "GET", "/leaderboards/b/entries/p", "");
    assert_eq!(gone.problem().1, "entry-not-found");
    assert_eq!(acts(&instance), (before.0, before.1 + 4));
}

#[test]
fn an_act_is_recorded_afterwards_when_it_made_room() {
    let (region, instance, key) = world();
    let before = acts(&instance);
    region.store.is_full.set(true);
    region.store.has_room_after_deleting.set(true);
    let done = instance.with_key(&key, "DELETE", "/leaderboards/c", "");
    assert_eq!((done.status, done.log.cause), (204, None));
    assert_eq!(acts(&instance), (before.0 + 1, before.1));
    // One that was refused has changed nothing that the log would have to have.
    region.store.is_full.set(true);
    let refused = instance.with_key(&key, "DELETE", "/leaderboards/none", "");
    assert_eq!((refused.status, refused.log.cause), (404, None));
    assert_eq!(acts(&instance), (before.0 + 1, before.1));
}
