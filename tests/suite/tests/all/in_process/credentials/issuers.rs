//! Issuers that tenants trust: audiences, tenants, and changes of their documents.

use futures::executor::block_on;
use leaderboard_core::TenantId;
use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region, claims, issuer_with_key, sign, signing_key};

const ENTRIES: &str = "/leaderboards/b/entries";

fn put(instance: &Instance, id: &str, document: &Value) {
    let answer = instance.call("PUT", &format!("/issuers/{id}"), document);
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
}

#[test]
fn an_issuer_that_was_removed_is_refused_everywhere_after_half_a_minute() {
    let region = Region::of_acme();
    let (here, there) = (region.instance(), region.instance());
    here.create_leaderboard();
    put(&here, "main", &issuer_with_key(&json!({})));
    let token = sign("k", &signing_key(1), &claims(json!({})));
    assert_eq!(
        (here.read_with_token(&token), there.read_with_token(&token)),
        (200, 200)
    );
    here.call("DELETE", "/issuers/main", &Value::Null);
    assert_eq!(here.read_with_token(&token), 401);
    region.pass_ms(30_000);
    assert_eq!(there.read_with_token(&token), 401);
}

#[test]
fn no_two_documents_claim_the_same_audience_of_an_issuer() {
    let region = Region::of_acme();
    let instance = region.instance();
    put(
        &instance,
        "main",
        &issuer_with_key(&json!({"audiences": ["a", "b"]})),
    );
    let taken = instance.call(
        "PUT",
        "/issuers/second",
        issuer_with_key(&json!({"audiences": ["b"]})),
    );
    assert_eq!(taken.problem().1, "issuer-taken");
    // Another audience of the same issuer is another tenant's to have.
    let others = issuer_with_key(&json!({"audiences": ["c"]}));
    assert_eq!(instance.for_tenant("other", "PUT", "/issuers/main", others), 201);
    let mine = issuer_with_key(&json!({"audiences": ["b"]}));
    instance.call("PUT", "/issuers/main", &mine).expect_status(200);
    let freed = issuer_with_key(&json!({"audiences": ["a"]}));
    instance.call("PUT", "/issuers/second", &freed).expect_status(201);

    instance.create_leaderboard();
    let key = signing_key(1);
    let of = |audience: &str| {
        let mut claims = claims(json!({}));
        claims["aud"] = json!(audience);
        instance.read_with_token(&sign("k", &key, &claims))
    };
    // The board is acme's.
    assert_eq!((of("a"), of("b"), of("c"), of("d")), (200, 200, 404, 401));
}

#[test]
fn a_server_token_administers_where_its_issuer_may_grant_that() {
    let region = Region::of_acme();
    let instance = region.instance();
    let key = signing_key(1);
    let mut server = claims(json!({}));
    server["sub"] = json!("client-1");
    server["scope"] = json!("admin");
    let token = sign("k", &key, &server);
    let granted = json!(["scores:read", "admin"]);
    put(
        &instance,
        "main",
        &issuer_with_key(&json!({"claims": {"player": ""}, "granted_scopes": granted})),
    );
    instance.with_token(&token, "GET", "/keys", "").expect_status(200);
    put(
        &instance,
        "main",
        &issuer_with_key(&json!({"claims": {"player": ""}})),
    );
    instance.with_token(&token, "GET", "/keys", "").expect_status(403);
    // As a player's token it never does.
    put(
        &instance,
        "main",
        &issuer_with_key(&json!({"granted_scopes": granted})),
    );
    instance.with_token(&token, "GET", "/keys", "").expect_status(403);
}

#[test]
fn a_document_for_another_audience_has_no_effect_when_its_keys_are_unreachable() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let dead = json!({"issuer": "https://id.example", "audiences": ["another"],
        "jwks_uri": "https://nowhere.example/keys"});
    put(&instance, "first", &dead);
    put(&instance, "second", &issuer_with_key(&json!({})));
    let token = sign("k", &signing_key(1), &claims(json!({})));
    assert_eq!(instance.read_with_token(&token), 200);
    let forged = sign("k", &signing_key(2), &claims(json!({})));
    assert_eq!(instance.read_with_token(&forged), 401);
}

/// The documents of issuers that the operator's scope has: their lists.
fn lists(region: &Region) -> usize {
    let listed = region
        .store
        .list_documents(None, DocumentKind::Issuer, None, 1000);
    block_on(listed).unwrap().len()
}

#[test]
fn the_issuers_of_other_tenants_have_no_effect_and_do_not_show() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    put(&instance, "main", &issuer_with_key(&json!({})));
    let token = sign("k", &signing_key(1), &claims(json!({})));
    for n in 0..20 {
        assert_eq!(
            instance.for_tenant(&format!("t{n}"), "PUT", "/issuers/x", issuer_with_key(&json!({}))),
            201
        );
    }
    // The token is of the first tenant, unless the request names another tenant that trusts the issuer.
    assert_eq!(instance.read_with_token(&token), 200);
    let naming = |tenant: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("x-tenant-id", tenant)];
        instance.send("GET", ENTRIES, "", &headers).status
    };
    assert_eq!((naming("acme"), naming("t19"), naming("nobody")), (200, 404, 403));
    // The response does not show whether another tenant trusts an issuer.
    let detail = |changes: &Value| {
        let mut other = claims(json!({}));
        for (name, value) in changes.as_object().unwrap() {
            other[name] = value.clone();
        }
        let token = sign("k", &signing_key(1), &other);
        instance.with_token(&token, "GET", ENTRIES, "").json()["detail"].clone()
    };
    assert_eq!(
        detail(&json!({"aud": "x"})),
        detail(&json!({"iss": "https://nobody.example"}))
    );
}

#[test]
fn an_issuer_of_the_operator_precedes_those_of_tenants() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    assert_eq!(
        instance.for_tenant("other", "PUT", "/issuers/x", issuer_with_key(&json!({}))),
        201
    );
    let token = sign("k", &signing_key(1), &claims(json!({})));
    assert_eq!(instance.read_with_token(&token), 404);
    let document = issuer_with_key(&json!({"claims": {"tenant": "org"}}));
    instance
        .call("PUT", "/operator/issuers/all", &document)
        .expect_status(201);
    assert_eq!(instance.read_with_token(&token), 200);
}

#[test]
fn each_tenant_has_64_issuers() {
    let region = Region::of_acme();
    let instance = region.instance();
    for n in 0..64 {
        let document = issuer_with_key(&json!({"audiences": [format!("a{n}")]}));
        assert_eq!(
            instance.for_tenant("greedy", "PUT", &format!("/issuers/i{n}"), &document),
            201
        );
    }
    let more = issuer_with_key(&json!({"audiences": ["more"]}));
    assert_eq!(instance.for_tenant("greedy", "PUT", "/issuers/more", &more), 409);
    assert_eq!(instance.for_tenant("greedy", "PUT", "/issuers/i0", &more), 200);
    assert_eq!(instance.for_tenant("modest", "PUT", "/issuers/more", &more), 201);
}

#[test]
fn a_refused_document_claims_nothing() {
    let region = Region::of_acme();
    let instance = region.instance();
    put(&instance, "main", &issuer_with_key(&json!({"audiences": ["a"]})));
    let before = lists(&region);
    let condition = [("if-match", "\"99\"")];
    let other = issuer_with_key(&json!({"audiences": ["b"]}));
    for (method, body) in [("PUT", &other), ("DELETE", &Value::Null)] {
        let refused = instance.call_with(method, "/issuers/main", body, &condition);
        refused.expect_status(412);
    }
    assert_eq!(lists(&region), before);
    put(
        &instance,
        "second",
        &issuer_with_key(&json!({"audiences": ["b"]})),
    );
}

/// Whatever write of a change fails, the same request again puts everything right.
#[test]
fn a_change_that_broke_off_is_repaired_by_the_same_request() {
    let key = signing_key(1);
    let of = |instance: &Instance, audience: &str| {
        let mut claims = claims(json!({}));
        claims["aud"] = json!(audience);
        instance.read_with_token(&sign("k", &key, &claims))
    };
    let old = issuer_with_key(&json!({"audiences": ["old", "kept"]}));
    let new = issuer_with_key(&json!({"audiences": ["kept", "new"]}));
    let mut broke_off = 0;
    for writes in 0..12 {
        let region = Region::of_acme();
        let instance = region.instance();
        instance.create_leaderboard();
        put(&instance, "main", &old);
        let clean = lists(&region);
        let interrupted = |method, body: &Value| {
            region.store.writes_left.set(Some(writes));
            let answer = instance.call(method, "/issuers/main", body);
            region.store.writes_left.set(None);
            region.store.down.set(false);
            region.pass_ms(60_000);
            u32::from(answer.status == 503)
        };
        broke_off += interrupted("PUT", &new);
        put(&instance, "main", &new);
        let there = region.instance();
        assert_eq!(
            (of(&there, "old"), of(&there, "kept"), of(&there, "new")),
            (401, 200, 200),
            "{writes}"
        );
        assert_eq!(lists(&region), clean, "{writes}");
        broke_off += interrupted("DELETE", &Value::Null);
        let again = instance.call("DELETE", "/issuers/main", &Value::Null).status;
        assert!(matches!(again, 204 | 404), "{writes}");
        assert_eq!(of(&region.instance(), "kept"), 401, "{writes}");
        assert_eq!(lists(&region), 0, "{writes}");
    }
    assert!(broke_off > 5, "{broke_off}");
}

#[test]
fn a_damaged_document_has_no_effect_and_can_be_replaced() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    assert_eq!(
        instance.for_tenant("broken", "PUT", "/issuers/x", issuer_with_key(&json!({}))),
        201
    );
    put(&instance, "main", &issuer_with_key(&json!({})));
    let name = DocumentName {
        tenant: TenantId::new("broken").ok(),
        kind: DocumentKind::Issuer,
        id: "x".into(),
    };
    block_on(region.store.put_document(&name, b"{", Expected::Any))
        .unwrap()
        .unwrap();
    region.pass_ms(60_000);
    let token = sign("k", &signing_key(1), &claims(json!({})));
    assert_eq!(instance.read_with_token(&token), 200);
    assert_eq!(
        instance.for_tenant("broken", "PUT", "/issuers/x", issuer_with_key(&json!({}))),
        200
    );
}

#[test]
fn a_verified_token_is_cached_no_longer_than_its_issuer() {
    let region = Region::of_acme();
    let (here, there) = (region.instance(), region.instance());
    here.create_leaderboard();
    // Answers from just after a change of the leaderboard are not used without the store.
    region.pass_ms(1_000);
    put(&here, "main", &issuer_with_key(&json!({})));
    let token = |id: &str| {
        let mut claims = claims(json!({}));
        claims["jti"] = json!(id);
        sign("k", &signing_key(1), &claims)
    };
    assert_eq!(there.read_with_token(&token("first")), 200);
    // Its copy of the document is not refreshed: it cannot reach the store.
    region.pass_ms(28_000);
    region.store.down.set(true);
    assert_eq!(there.read_with_token(&token("second")), 200);
    region.store.down.set(false);
    here.call("DELETE", "/issuers/main", &Value::Null)
        .expect_status(204);
    region.pass_ms(2_000);
    assert_eq!(there.read_with_token(&token("second")), 401);
}

#[test]
fn tenants_name_public_hosts_alone_and_the_operator_any() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (_, key) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let local = "http://127.0.0.1:8080";
    let of_keys = |uri: &str| json!({"issuer": "i", "audiences": ["a"], "jwks_uri": uri});
    let discovered = json!({"issuer": local, "audiences": ["a"], "discovery": true});
    for (document, place) in [
        (of_keys(local), "#/jwks_uri"),
        (of_keys("https://10.0.0.1/keys"), "#/jwks_uri"),
        (of_keys("https://localhost/keys"), "#/jwks_uri"),
        (discovered.clone(), "#/discovery"),
    ] {
        let refused = instance.with_key(&key, "PUT", "/issuers/main", &document.to_string());
        refused.expect_problem(422, "validation", place);
    }
    let public = of_keys("https://id.example/keys").to_string();
    instance
        .with_key(&key, "PUT", "/issuers/main", &public)
        .expect_status(201);
    for document in [of_keys(local), discovered] {
        put(&instance, "main", &document);
    }
}
