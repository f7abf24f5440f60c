//! API keys: made, used, rotated, revoked.

use futures::executor::block_on;
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region, request};

const SCORE: &str = r#"{"player":"p","score":1}"#;

#[test]
fn a_revocation_holds_everywhere_within_five_seconds() {
    let region = Region::of_acme();
    let (here, there) = (region.instance(), region.instance());
    let (id, key) = here.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let works = |instance: &Instance| instance.with_key(&key, "GET", "/keys", "").status;
    assert_eq!((works(&here), works(&there)), (200, 200));
    region.pass_ms(1_000);
    here.call("DELETE", &format!("/keys/{id}"), &Value::Null)
        .expect_status(204);
    assert_eq!(works(&here), 401);
    region.pass_ms(4_000);
    let refused = there.with_key(&key, "GET", "/keys", "");
    refused.expect_problem(401, "unauthenticated", "");
    assert_eq!(refused.json()["detail"], "The key was revoked.");

    // It stays in the list until it is removed.
    let shown = here.call("GET", &format!("/keys/{id}"), &Value::Null);
    assert!(shown.json()["revoked_at"].is_string(), "{shown:?}");
    here.call("DELETE", &format!("/keys/{id}"), &Value::Null)
        .expect_status(204);
    let gone = here.call("DELETE", &format!("/keys/{id}"), &Value::Null);
    assert_eq!(gone.problem().1, "key-not-found");
}

#[test]
fn a_rotated_key_has_two_secrets_for_a_while() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (id, old) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let path = format!("/keys/{id}/rotate");
    let rotated = instance.call("POST", &path, json!({"overlap_s": 60}));
    rotated.expect_status(200);
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
    let again = instance.call("POST", &path, json!({"overlap_s": 2_592_001}));
    again.expect_problem(422, "validation", "#/overlap_s");
}

#[test]
fn two_rotations_leave_the_first_secret_its_whole_overlap() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (id, first) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let path = format!("/keys/{id}/rotate");
    let rotate = |body: &Value| {
        let rotated = instance.call("POST", &path, body);
        rotated.expect_status(200);
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
    // The number of secrets is bounded. A rotation beyond the bound is refused, and removes no secret.
    for _ in 0..8 {
        rotate(&json!({}));
    }
    let full = instance.call("POST", &path, json!({}));
    assert_eq!(full.problem().1, "quota-reached", "{full:?}");
    rotate(&json!({"overlap_s": 0}));
}

#[test]
fn the_idempotency_key_of_a_rotation_is_kept_for_a_day() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (id, _) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let rotate = || {
        let path = format!("/keys/{id}/rotate");
        let body = json!({"overlap_s": 60});
        instance
            .call_with("POST", &path, body, &[("idempotency-key", "\"k\"")])
            .status
    };
    assert_eq!((rotate(), rotate()), (200, 409));
    region.pass_ms(24 * 60 * 60 * 1000);
    assert_eq!(rotate(), 200);
}

#[test]
fn two_requests_with_one_idempotency_key_make_one_key() {
    let region = Region::of_acme();
    let instance = region.instance();
    region.store.documents_take_time.set(true);
    let body = json!({"name": "n", "scopes": ["scores:read"]});
    let headers = [
        ("x-api-key", ADMIN_KEY),
        ("x-tenant-id", "acme"),
        ("idempotency-key", "\"k\""),
    ];
    let one = async || {
        instance
            .respond(request("POST", "/keys", &body, &headers))
            .await
            .status
    };
    let (first, second) = block_on(futures::future::join(one(), one()));
    region.store.documents_take_time.set(false);
    let mut told = [first, second];
    told.sort_unstable();
    assert_eq!(told, [201, 409]);
    let list = instance.call("GET", "/keys", &Value::Null).json();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn a_key_expires() {
    let region = Region::of_acme();
    let instance = region.instance();
    let body = json!({"name": "n", "scopes": ["admin"], "expires_at": "2026-07-19T21:05:00Z"});
    let (_, key) = instance.make_key(&body);
    instance.with_key(&key, "GET", "/keys", "").expect_status(200);
    region.pass_ms(60_000);
    let late = instance.with_key(&key, "GET", "/keys", "");
    assert_eq!(
        (late.status, late.json()["detail"].as_str()),
        (401, Some("The key has expired."))
    );
    let past = json!({"name": "n", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(instance.call("POST", "/keys", &past).problem().2, "#/expires_at");
}

#[test]
fn without_the_store_known_keys_read_for_a_while_and_nothing_changes() {
    let region = Region::of_acme();
    let instance = region.instance();
    let scopes = json!(["scores:read", "scores:write"]);
    let (id, key) = instance.make_key(&json!({"name": "n", "scopes": scopes}));
    let read = |instance: &Instance| {
        let path = "/ofrep/v1/evaluate/flags";
        instance.with_key(&key, "POST", path, r#"{"context":{}}"#).status
    };
    let token = |instance: &Instance| {
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
    let change = instance.call("DELETE", &format!("/keys/{id}"), &Value::Null);
    assert_eq!(change.problem().1, "unavailable");
    let made = instance.call("POST", "/keys", json!({"name": "n", "scopes": ["admin"]}));
    assert_eq!(made.problem().1, "unavailable");
    region.pass_ms(100_000);
    assert_eq!((read(&instance), token(&instance)), (503, 503));
}

#[test]
fn two_keys_made_at_once_are_not_one_too_many() {
    let region = Region::of_acme();
    let instance = region.instance();
    let body = json!({"name": "n", "scopes": ["scores:read"]});
    for _ in 0..199 {
        instance.make_key(&body);
    }
    region.store.documents_take_time.set(true);
    let headers = [("x-api-key", ADMIN_KEY), ("x-tenant-id", "acme")];
    let one = async || {
        instance
            .respond(request("POST", "/keys", &body, &headers))
            .await
            .status
    };
    let (first, second) = block_on(futures::future::join(one(), one()));
    region.store.documents_take_time.set(false);
    assert!(first == 409 || second == 409, "{first} {second}");
    let list = instance.call("GET", "/keys?limit=200", &Value::Null).json();
    assert!(list["keys"].as_array().unwrap().len() <= 200 && list["next"].is_null());
}

#[test]
fn bad_keys_are_refused_alike() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (_, key) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let detail = |key: &str| {
        let answer = instance.with_key(key, "GET", "/keys", "");
        assert_eq!(answer.problem().0, 401);
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="edgeboard", ApiKey realm="edgeboard""#
        );
        answer.json()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(detail("x"), "The key is not valid.");
    assert_eq!(detail(&key[..key.len() - 1]), "The key is mistyped or cut off.");
    assert_eq!(
        detail(&key.replace("acme", "acne")),
        "The key is mistyped or cut off."
    );
    // A key of the right form that was never made, of this tenant or of another.
    for tenant in ["acme", "other"] {
        let tenant = leaderboard_core::TenantId::new(tenant).unwrap();
        let other = leaderboard_identity::api_key::ApiKey::generate(&tenant, &[0xee; 32]);
        assert_eq!(detail(other.text.reveal()), "The key is not valid.");
    }
    // The right id with another secret.
    let id = leaderboard_identity::api_key::ApiKey::parse(&key).unwrap();
    let other = leaderboard_identity::api_key::ApiKey::rotate(id.tenant(), id.id(), &[0xee; 32]);
    assert_eq!(detail(other.text.reveal()), "The key is not valid.");
}
