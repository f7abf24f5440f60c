//! Tests of API keys: their scopes, addresses, rotation and list, and retries of requests that make them.

use leaderboard_test_support::{ApiClient, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

const SCORES: &str = "/leaderboards/b/scores";

/// Creates the private leaderboard `b`, to which players may submit.
async fn create_leaderboard(api: &ApiClient) {
    let access = json!({"access": {"read": "private", "write": "player"}});
    api.create_leaderboard("b", &access).await;
}

/// Sends a request with a key and returns the status.
async fn send_with_key(api: &ApiClient, key: &str, verb: &str, path: &str) -> u16 {
    let call = api.with_key(key, verb, path);
    let call = if verb == "POST" {
        call.json(&json!({"player": "p", "score": 1}))
    } else {
        call
    };
    call.send().await.status
}

api_cases! {
    async fn the_secret_of_a_key_is_shown_once(api) {
        let made = api.post("/keys", &json!({"name": "game server", "scopes": ["scores:read", "scores:write"]})).await;
        let body = made.expect_status(201);
        let (id, key) = (body["id"].as_str().unwrap(), body["key"].as_str().unwrap());
        assert_eq!(made.header("location"), format!("/api/v1/keys/{id}"));
        assert!(key.starts_with(&format!("eb_{}_{id}_", api.tenant)));
        let read = api.get(&format!("/keys/{id}")).await;
        assert_eq!((read.header("etag"), read.header("cache-control")), (made.header("etag"), "private, no-cache"));
        let shown = read.expect_status(200);
        assert_eq!((&shown["scopes"], shown.get("key")), (&json!(["scores:read", "scores:write"]), None));
        assert_eq!(api.get("/keys").await.expect_status(200), json!({"keys": [shown], "next": null}));
        // The first deletion revokes the key, and the second removes it.
        api.delete(&format!("/keys/{id}")).await.expect_status(204);
        assert!(api.get(&format!("/keys/{id}")).await.expect_status(200)["revoked_at"].is_string());
        api.delete(&format!("/keys/{id}")).await.expect_status(204);
        api.delete(&format!("/keys/{id}")).await.expect_problem(404, "key-not-found");
    }

    async fn a_key_may_use_only_the_routes_of_its_scopes(api) {
        create_leaderboard(api).await;
        for (scope, expected) in [
            ("scores:read", [200, 403, 403, 403]),
            ("scores:write", [403, 200, 403, 403]),
            ("admin", [200, 200, 200, 403]),
        ] {
            let key = api.make_key(json!([scope])).await.1;
            let calls = [("GET", "/leaderboards/b/entries"), ("POST", SCORES), ("GET", "/keys"), ("GET", "/operator/issuers")];
            for ((verb, path), expected) in calls.into_iter().zip(expected) {
                assert_eq!(send_with_key(api, &key, verb, path).await, expected, "{scope} {verb} {path}");
            }
        }
    }

    async fn a_key_works_only_from_its_allowed_addresses(api) {
        for (addresses, shown, expected) in [
            (json!(["127.0.0.0/8", "2001:db8::/32"]), json!(["127.0.0.0/8", "2001:db8::/32"]), 200),
            (json!(["::ffff:127.0.0.1"]), json!(["127.0.0.1/32"]), 200),
            (json!(["192.0.2.0/24"]), json!(["192.0.2.0/24"]), 403),
        ] {
            let body = json!({"name": "n", "scopes": ["admin"], "allowed_addresses": addresses});
            let made = api.post("/keys", &body).await.expect_status(201);
            assert_eq!(made["allowed_addresses"], shown);
            let key = made["key"].as_str().unwrap();
            assert_eq!(send_with_key(api, key, "GET", "/keys").await, expected);
            // A client cannot set its own address with a header.
            for (name, value) in [("spin-client-addr", "192.0.2.9:1234"), ("x-forwarded-for", "192.0.2.9")] {
                let answer = api.with_key(key, "GET", "/keys").header(name, value).send().await;
                assert_eq!(answer.status, expected, "{name}");
            }
        }
    }

    async fn a_rotation_needs_no_body_and_the_number_of_secrets_is_limited(api) {
        let (id, key) = api.make_key(json!(["admin"])).await;
        let path = format!("/keys/{id}/rotate");
        let rotate = async |body: Value| api.post(&path, &body).await;
        api.with_key(&key, "POST", &path).send().await.expect_status(200);
        // By default, the previous secret is valid for another hour.
        assert_eq!(send_with_key(api, &key, "GET", "/keys").await, 200);
        api.with_key(&key, "POST", &path).header("content-type", "text/plain").send().await.expect_status(200);
        let refused = rotate(json!({"overlap_s": 2_592_001})).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/overlap_s");
        let mut rotations = 2;
        while rotate(json!({})).await.status == 200 {
            rotations += 1;
        }
        assert!((8..=10).contains(&rotations), "{rotations}");
        rotate(json!({})).await.expect_problem(409, "quota-reached");
        rotate(json!({"overlap_s": 0})).await.expect_status(200);
    }

    async fn a_retry_makes_no_second_key_and_no_second_rotation(api) {
        let body = json!({"name": "n", "scopes": ["admin"]});
        let post = async |path: &str, body: &Value| {
            api.request("POST", path).header("idempotency-key", "\"k\"").json(body).send().await
        };
        let made = post("/keys", &body).await.expect_status(201);
        let id = made["id"].as_str().unwrap();
        let again = post("/keys", &body).await;
        assert_eq!(again.expect_problem(409, "already-done")["errors"][0]["header"], "Idempotency-Key");
        let text = String::from_utf8_lossy(&again.body);
        assert!(text.contains(id) && !text.contains("eb_"), "{text}");
        let other = post("/keys", &json!({"name": "o", "scopes": ["admin"]})).await;
        assert_eq!(other.expect_problem(422, "id-conflict")["errors"][0]["header"], "Idempotency-Key");
        assert_eq!(api.get("/keys").await.expect_status(200)["keys"].as_array().unwrap().len(), 1);
        // The same idempotency key may also be used for a rotation.
        let path = format!("/keys/{id}/rotate");
        let rotated = post(&path, &json!({"overlap_s": 60})).await.expect_status(200);
        post(&path, &json!({"overlap_s": 60})).await.expect_problem(409, "already-done");
        post(&path, &json!({"overlap_s": 61})).await.expect_problem(422, "id-conflict");
        let key = rotated["key"].as_str().unwrap();
        wait_until(async || send_with_key(api, key, "GET", "/keys").await, |status| *status == 200).await;
        // Each caller has idempotency keys of its own.
        let call = api.with_key(key, "POST", "/keys").header("idempotency-key", "\"k\"").json(&body);
        call.send().await.expect_status(201);
    }

    async fn an_idempotency_key_is_refused_where_it_has_no_effect(api) {
        create_leaderboard(api).await;
        let id = api.make_key(json!(["admin"])).await.0;
        for (verb, path, body) in [
            ("POST", "/tokens", json!({"player": "p"})),
            ("PUT", "/leaderboards/b", json!({})),
            ("PATCH", "/leaderboards/b", json!({})),
            ("DELETE", "/leaderboards/b", Value::Null),
            ("DELETE", "/leaderboards/b/scores/p", Value::Null),
            ("DELETE", &format!("/keys/{id}"), Value::Null),
        ] {
            let call = api.request(verb, path).header("idempotency-key", "\"k\"");
            let call = if body.is_null() { call } else { call.json(&body) };
            let refused = call.send().await.expect_problem(400, "invalid-header");
            assert_eq!(refused["errors"][0]["header"], "Idempotency-Key", "{verb} {path}");
        }
        api.request("GET", "/keys").header("idempotency-key", "\"k\"").send().await.expect_status(200);
        assert!(api.get(&format!("/keys/{id}")).await.expect_status(200)["revoked_at"].is_null());
    }

    async fn keys_are_listed_page_by_page(api) {
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(api.make_key(json!(["scores:read"])).await.0);
        }
        made.sort();
        let (mut listed, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = api.get(&format!("/keys?limit=2{cursor}")).await.expect_status(200);
            listed.extend(page["keys"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(listed, made);
    }
}
