//! API keys: made, used, rotated, revoked.

use futures::executor::block_on;
use serde_json::{Value, json};

use super::world::Region;
use crate::service::KEY;

const ENTRIES: &str = "/leaderboards/b/entries";
const SCORE: &str = r#"{"player":"p","score":1}"#;

#[test]
fn a_key_is_shown_once_and_works_in_every_instance() {
    let region = Region::new();
    let one = region.instance();
    one.make_board();
    let body = json!({"name": "game server", "scopes": ["scores:read", "scores:write"]});
    let made = one.operator("POST", "/keys", &body);
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/api/v1/keys/{id}"));
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with(&format!("eb_acme_{id}_")));

    let read = one.operator("GET", &format!("/keys/{id}"), &Value::Null);
    assert_eq!(read.header("cache-control"), "private, no-cache");
    let list = one.operator("GET", "/keys", &Value::Null);
    assert_eq!(list.json()["keys"], json!([read.json()]));
    assert_eq!(read.json()["scopes"], json!(["scores:read", "scores:write"]));
    assert!(
        !read.text.contains(&key) && !list.text.contains("eb_"),
        "{list:?}"
    );
    assert_eq!(read.header("etag"), made.header("etag"));

    let other = region.instance();
    assert_eq!(
        other
            .with_key(&key, "POST", "/leaderboards/b/scores", SCORE)
            .status,
        200
    );
    let page = one.with_key(&key, "GET", ENTRIES, "");
    assert_eq!(page.json()["count"], 1, "{page:?}");
}

#[test]
fn a_key_does_what_its_scopes_say_and_no_more() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let with = |scopes: Value| instance.make_key(&json!({"name": "n", "scopes": scopes})).1;
    let (read, write, admin) = (
        with(json!(["scores:read"])),
        with(json!(["scores:write"])),
        with(json!(["admin"])),
    );
    let status = |key: &str| {
        [
            instance.with_key(key, "GET", ENTRIES, "").status,
            instance
                .with_key(key, "POST", "/leaderboards/b/scores", SCORE)
                .status,
            instance.with_key(key, "GET", "/keys", "").status,
            instance.with_key(key, "GET", "/operator/issuers", "").status,
        ]
    };
    assert_eq!(status(&read), [200, 403, 403, 403]);
    assert_eq!(status(&write), [403, 200, 403, 403]);
    assert_eq!(status(&admin), [200, 200, 200, 403]);
}

#[test]
fn a_key_is_its_tenants_alone() {
    let region = Region::new();
    let instance = region.instance();
    let (_, key) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let named = |tenant: &str| {
        let headers = [("x-api-key", key.as_str()), ("x-tenant-id", tenant)];
        instance.send("GET", "/keys", "", &headers).status
    };
    assert_eq!((named("acme"), named("other")), (200, 403));
    let headers = [("x-api-key", crate::service::KEY), ("x-tenant-id", "other")];
    let others = instance.send("GET", "/keys", "", &headers);
    assert_eq!(others.json()["keys"], json!([]));
}

#[test]
fn a_revocation_holds_everywhere_within_five_seconds() {
    let region = Region::new();
    let (here, there) = (region.instance(), region.instance());
    let (id, key) = here.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let works = |instance: &super::world::Instance| instance.with_key(&key, "GET", "/keys", "").status;
    assert_eq!((works(&here), works(&there)), (200, 200));
    region.pass_ms(1_000);
    assert_eq!(
        here.operator("DELETE", &format!("/keys/{id}"), &Value::Null)
            .status,
        204
    );
    assert_eq!(works(&here), 401);
    region.pass_ms(4_000);
    let refused = there.with_key(&key, "GET", "/keys", "");
    assert_eq!(
        refused.problem(),
        (401, "unauthenticated".to_owned(), String::new())
    );
    assert_eq!(refused.json()["detail"], "The key was revoked.");

    // It stays in the list until it is removed.
    let shown = here.operator("GET", &format!("/keys/{id}"), &Value::Null);
    assert!(shown.json()["revoked_at"].is_string(), "{shown:?}");
    assert_eq!(
        here.operator("DELETE", &format!("/keys/{id}"), &Value::Null)
            .status,
        204
    );
    let gone = here.operator("DELETE", &format!("/keys/{id}"), &Value::Null);
    assert_eq!(gone.problem().1, "key-not-found");
}

#[test]
fn a_rotated_key_has_two_secrets_for_a_while() {
    let region = Region::new();
    let instance = region.instance();
    let (id, old) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let path = format!("/keys/{id}/rotate");
    let rotated = instance.operator("POST", &path, &json!({"overlap_s": 60}));
    assert_eq!(rotated.status, 200, "{rotated:?}");
    let new = rotated.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(
        rotated.json()["replaced_secret_until"],
        "2026-07-19T21:05:00.000Z"
    );
    let works = |key: &str| instance.with_key(key, "GET", "/keys", "").status;
    assert_ne!(old, new);
    assert_eq!((works(&old), works(&new)), (200, 200));
    region.pass_ms(60_000);
    assert_eq!((works(&old), works(&new)), (401, 200));
    let again = instance.operator("POST", &path, &json!({"overlap_s": 2_592_001}));
    assert_eq!(
        again.problem(),
        (422, "validation".to_owned(), "#/overlap_s".to_owned())
    );
}

#[test]
fn two_rotations_leave_the_first_secret_its_whole_overlap() {
    let region = Region::new();
    let instance = region.instance();
    let (id, first) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let path = format!("/keys/{id}/rotate");
    let rotate = |body: &Value| {
        let rotated = instance.operator("POST", &path, body);
        assert_eq!(rotated.status, 200, "{rotated:?}");
        rotated.json()
    };
    rotate(&json!({}));
    region.pass_ms(60_000);
    let shown = rotate(&json!({"overlap_s": 60}));
    assert_eq!(shown["replaced_secret_until"], "2026-07-19T22:04:00.000Z");
    let works = |key: &str| instance.with_key(key, "GET", "/keys", "").status;
    region.pass_ms(3_540_000 - 1);
    assert_eq!(works(&first), 200);
    region.pass_ms(1);
    assert_eq!(works(&first), 401);
    // There is a bound, and none is given up for it.
    for _ in 0..8 {
        rotate(&json!({}));
    }
    let full = instance.operator("POST", &path, &json!({}));
    assert_eq!(full.problem().1, "quota-reached", "{full:?}");
    rotate(&json!({"overlap_s": 0}));
}

#[test]
fn a_retry_makes_no_second_key() {
    let region = Region::new();
    let instance = region.instance();
    let body = json!({"name": "n", "scopes": ["admin"]});
    let post = |path: &str, body: &Value, key: &str| {
        let headers = [
            ("x-api-key", KEY),
            ("x-tenant-id", "acme"),
            ("idempotency-key", key),
        ];
        instance.send("POST", path, &body.to_string(), &headers)
    };
    let made = post("/keys", &body, "\"k\"");
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let again = post("/keys", &body, "\"k\"");
    assert_eq!(
        again.problem(),
        (409, "already-done".into(), "Idempotency-Key".into())
    );
    assert!(
        again.text.contains(&id) && !again.text.contains("eb_acme"),
        "{again:?}"
    );
    let other = post("/keys", &json!({"name": "o", "scopes": ["admin"]}), "\"k\"");
    assert_eq!(
        other.problem(),
        (422, "id-conflict".into(), "Idempotency-Key".into())
    );
    let list = instance.operator("GET", "/keys", &Value::Null).json();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);

    // The same of a rotation, which the same key may name, too.
    let path = format!("/keys/{id}/rotate");
    let rotated = post(&path, &json!({"overlap_s": 60}), "\"k\"");
    assert_eq!(rotated.status, 200, "{rotated:?}");
    let again = post(&path, &json!({"overlap_s": 60}), "\"k\"");
    assert_eq!(
        again.problem(),
        (409, "already-done".into(), "Idempotency-Key".into())
    );
    assert_eq!(
        post(&path, &json!({"overlap_s": 61}), "\"k\"").problem().1,
        "id-conflict"
    );
    let key = rotated.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(instance.with_key(&key, "GET", "/keys", "").status, 200);
    region.pass_ms(24 * 60 * 60 * 1000);
    assert_eq!(post(&path, &json!({"overlap_s": 60}), "\"k\"").status, 200);

    // Keys are each caller's own.
    let admin = instance.make_key(&body).1;
    let headers = [("x-api-key", admin.as_str()), ("idempotency-key", "\"k\"")];
    assert_eq!(
        instance.send("POST", "/keys", &body.to_string(), &headers).status,
        201
    );
}

#[test]
fn two_requests_with_one_idempotency_key_make_one_key() {
    let region = Region::new();
    let instance = region.instance();
    region.store.documents_take_time.set(true);
    let body = json!({"name": "n", "scopes": ["scores:read"]});
    let one = || instance.begin_keyed("POST", "/keys", &body, "\"k\"");
    let (first, second) = block_on(futures::future::join(one(), one()));
    region.store.documents_take_time.set(false);
    let mut told = [first, second];
    told.sort_unstable();
    assert_eq!(told, [201, 409]);
    let list = instance.operator("GET", "/keys", &Value::Null).json();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn an_idempotency_key_is_refused_where_it_would_do_nothing() {
    let region = Region::new();
    let instance = region.instance();
    let (id, _) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    instance.make_board();
    let send = |method: &str, path: &str, body: &str| {
        let headers = [
            ("x-api-key", KEY),
            ("x-tenant-id", "acme"),
            ("idempotency-key", "\"k\""),
        ];
        instance.send(method, path, body, &headers)
    };
    for (method, path, body) in [
        ("POST", "/tokens", r#"{"player":"p"}"#),
        ("PUT", "/leaderboards/b", "{}"),
        ("PATCH", "/leaderboards/b", "{}"),
        ("DELETE", "/leaderboards/b", ""),
        ("DELETE", "/leaderboards/b/scores/p", ""),
        ("DELETE", &format!("/keys/{id}"), ""),
    ] {
        let answer = send(method, path, body);
        let refused = (400, "invalid-header".to_owned(), "Idempotency-Key".to_owned());
        assert_eq!(answer.problem(), refused, "{method} {path}");
    }
    assert_eq!(send("GET", "/keys", "").status, 200);
    assert!(
        instance
            .operator("GET", &format!("/keys/{id}"), &Value::Null)
            .json()["revoked_at"]
            .is_null()
    );
}

#[test]
fn a_key_expires() {
    let region = Region::new();
    let instance = region.instance();
    let body = json!({"name": "n", "scopes": ["admin"], "expires_at": "2026-07-19T21:05:00Z"});
    let (_, key) = instance.make_key(&body);
    assert_eq!(instance.with_key(&key, "GET", "/keys", "").status, 200);
    region.pass_ms(60_000);
    let late = instance.with_key(&key, "GET", "/keys", "");
    assert_eq!(
        (late.status, late.json()["detail"].as_str()),
        (401, Some("The key has expired."))
    );
    let past = json!({"name": "n", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(
        instance.operator("POST", "/keys", &past).problem().2,
        "#/expires_at"
    );
}

#[test]
fn a_key_is_used_from_where_it_may_be() {
    let region = Region::new();
    let instance = region.instance();
    let body =
        json!({"name": "n", "scopes": ["admin"], "allowed_addresses": ["192.0.2.0/24", "2001:db8::/32"]});
    let (_, key) = instance.make_key(&body);
    let from = |address: &[&str]| {
        let mut headers = vec![("x-api-key", key.as_str())];
        headers.extend(address.iter().map(|address| ("spin-client-addr", *address)));
        instance.send("GET", "/keys", "", &headers).status
    };
    assert_eq!(from(&["192.0.2.9:1234"]), 200);
    assert_eq!(from(&["[2001:db8::9]:1234"]), 200);
    assert_eq!(from(&["192.0.3.9:1234"]), 403);
    assert_eq!(from(&[]), 403);
    // The client's own header comes first and does not count.
    assert_eq!(from(&["192.0.2.9:1234", "203.0.113.9:1"]), 403);
    let headers = [
        ("x-api-key", key.as_str()),
        ("spin-client-addr", "203.0.113.9:1"),
        ("x-forwarded-for", "192.0.2.9"),
    ];
    assert_eq!(instance.send("GET", "/keys", "", &headers).status, 403);
}

#[test]
fn one_address_is_a_range_of_itself_however_it_is_written() {
    let region = Region::new();
    let instance = region.instance();
    let body = json!({"name": "n", "scopes": ["admin"], "allowed_addresses": ["::ffff:192.0.2.7"]});
    let (id, key) = instance.make_key(&body);
    let shown = instance
        .operator("GET", &format!("/keys/{id}"), &Value::Null)
        .json();
    assert_eq!(shown["allowed_addresses"], json!(["192.0.2.7/32"]));
    let from = |address| {
        let headers = [("x-api-key", key.as_str()), ("spin-client-addr", address)];
        instance.send("GET", "/keys", "", &headers).status
    };
    assert_eq!((from("192.0.2.7:1"), from("192.0.2.8:1")), (200, 403));
}

#[test]
fn a_rotation_needs_no_body() {
    let region = Region::new();
    let instance = region.instance();
    let (id, key) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let path = format!("/keys/{id}/rotate");
    let rotated = instance.with_key(&key, "POST", &path, "");
    assert_eq!(rotated.status, 200, "{rotated:?}");
    // The secret before is good for the hour that nobody asked to change.
    assert_eq!(instance.with_key(&key, "GET", "/keys", "").status, 200);
    let headers = [("x-api-key", key.as_str()), ("content-type", "text/plain")];
    assert_eq!(instance.send("POST", &path, "", &headers).status, 200);
}

#[test]
fn without_the_store_known_keys_read_for_a_while_and_nothing_changes() {
    let region = Region::new();
    let instance = region.instance();
    let scopes = json!(["scores:read", "scores:write"]);
    let (id, key) = instance.make_key(&json!({"name": "n", "scopes": scopes}));
    let read = |instance: &super::world::Instance| {
        let path = "/ofrep/v1/evaluate/flags";
        instance.with_key(&key, "POST", path, r#"{"context":{}}"#).status
    };
    let token = |instance: &super::world::Instance| {
        let body = r#"{"player":"p"}"#;
        instance.with_key(&key, "POST", "/tokens", body).status
    };
    assert_eq!((read(&instance), token(&instance)), (200, 201));
    region.store.down.set(true);
    region.pass_ms(3_900);
    assert_eq!((read(&instance), token(&instance)), (200, 201));
    // From here on the key may have been revoked where the store is in reach.
    region.pass_ms(100);
    assert_eq!((read(&instance), token(&instance)), (200, 503));
    let other = region.instance();
    assert_eq!((read(&other), token(&other)), (200, 503));
    let write = instance.with_key(&key, "POST", "/leaderboards/b/scores", SCORE);
    assert_eq!(write.problem().1, "unavailable");
    region.pass_ms(3_500_000);
    assert_eq!((read(&instance), token(&instance)), (200, 503));
    let change = instance.operator("DELETE", &format!("/keys/{id}"), &Value::Null);
    assert_eq!(change.problem().1, "unavailable");
    let made = instance.operator("POST", "/keys", &json!({"name": "n", "scopes": ["admin"]}));
    assert_eq!(made.problem().1, "unavailable");
    region.pass_ms(100_000);
    assert_eq!((read(&instance), token(&instance)), (503, 503));
}

#[test]
fn requests_for_keys_are_checked_field_by_field() {
    let region = Region::new();
    let instance = region.instance();
    for (body, place) in [
        (json!({"scopes": ["admin"]}), "#/name"),
        (json!({"name": "", "scopes": ["admin"]}), "#/name"),
        (json!({"name": "n"}), "#/scopes"),
        (json!({"name": "n", "scopes": []}), "#/scopes"),
        (json!({"name": "n", "scopes": ["root"]}), "#/scopes/0"),
        (
            json!({"name": "n", "scopes": ["admin"], "allowed_addresses": ["here"]}),
            "#/allowed_addresses/0",
        ),
        (
            json!({"name": "n", "scopes": ["admin"], "allowed_addresses": ["192.0.2.0/24", "192.0.2.1/24"]}),
            "#/allowed_addresses/1",
        ),
        (
            json!({"name": "n", "scopes": ["admin"], "allowed_addresses": ["::ffff:192.0.2.0/120"]}),
            "#/allowed_addresses/0",
        ),
        (
            json!({"name": "n", "scopes": ["admin"], "allowed_addresses": vec!["10.0.0.0/8"; 65]}),
            "#/allowed_addresses",
        ),
        (
            json!({"name": "n", "scopes": ["admin"], "secret": "s"}),
            "#/secret",
        ),
    ] {
        let answer = instance.operator("POST", "/keys", &body);
        assert_eq!(
            answer.problem(),
            (422, "validation".to_owned(), place.to_owned()),
            "{body}"
        );
    }
    let missing = instance.operator("GET", "/keys/0123456789abcdef", &Value::Null);
    assert_eq!(missing.problem().1, "key-not-found");
    let no_id = instance.operator("GET", "/keys/x", &Value::Null);
    assert_eq!(
        no_id.problem(),
        (400, "invalid-parameter".to_owned(), "key".to_owned())
    );
}

#[test]
fn the_list_has_pages() {
    let region = Region::new();
    let instance = region.instance();
    let mut made: Vec<String> = (0..5)
        .map(|_| instance.make_key(&json!({"name": "n", "scopes": ["admin"]})).0)
        .collect();
    made.sort();
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = instance.operator("GET", &format!("/keys?limit=2{cursor}"), &Value::Null);
        let page = page.json();
        let keys = page["keys"].as_array().unwrap();
        listed.extend(keys.iter().map(|key| key["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, made);
}

#[test]
fn two_keys_made_at_once_are_not_one_too_many() {
    let region = Region::new();
    let instance = region.instance();
    let body = json!({"name": "n", "scopes": ["scores:read"]});
    for _ in 0..199 {
        instance.make_key(&body);
    }
    region.store.documents_take_time.set(true);
    let one = || instance.begin_as_operator("POST", "/keys", &body);
    let (first, second) = block_on(futures::future::join(one(), one()));
    region.store.documents_take_time.set(false);
    assert!(first == 409 || second == 409, "{first} {second}");
    let list = instance.operator("GET", "/keys?limit=200", &Value::Null).json();
    assert!(list["keys"].as_array().unwrap().len() <= 200 && list["next"].is_null());
}
