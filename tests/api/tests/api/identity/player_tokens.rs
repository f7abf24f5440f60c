//! Tokens that the service issues to players.

use serde_json::{Value, json};

use super::world::{Instance, Region, SECRET};

const SCORES: &str = "/leaderboards/b/scores";

fn server(instance: &Instance) -> String {
    let scopes = json!(["scores:read", "scores:write"]);
    instance.make_key(&json!({"name": "server", "scopes": scopes})).1
}

fn token(instance: &Instance, key: &str, body: &Value) -> String {
    let issued = instance.with_key(key, "POST", "/tokens", &body.to_string());
    assert_eq!(issued.status, 201, "{issued:?}");
    assert_eq!(issued.header("cache-control"), "no-store");
    issued.json()["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_player_plays_with_a_token_of_a_server() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let key = server(&instance);
    let issued = instance.with_key(&key, "POST", "/tokens", r#"{"player":"José","lifetime_s":60}"#);
    assert_eq!(issued.status, 201, "{issued:?}");
    let body = issued.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 60);
    assert_eq!(body["expires_at"], "2026-07-19T21:05:00.000Z");
    assert_eq!(body["scopes"], json!(["scores:read", "scores:write"]));
    let token = body["token"].as_str().unwrap();

    let other = region.instance();
    let own = other.with_token(token, "POST", SCORES, r#"{"player":"José","score":1}"#);
    assert_eq!(own.status, 200, "{own:?}");
    let foreign = other.with_token(token, "POST", SCORES, r#"{"player":"Pelé","score":1}"#);
    assert_eq!(foreign.status, 403, "{foreign:?}");
    assert_eq!(
        other
            .with_token(token, "GET", "/leaderboards/b/entries", "")
            .json()["count"],
        1
    );

    region.pass_ms(60_000 + 60_000);
    let late = other.with_token(token, "GET", "/leaderboards/b/entries", "");
    assert_eq!(late.status, 401);
    assert_eq!(
        late.header("www-authenticate"),
        r#"Bearer realm="edgeboard", error="invalid_token", error_description="the token has expired""#
    );
}

#[test]
fn nobody_hands_on_more_than_they_have() {
    let region = Region::new();
    let instance = region.instance();
    let writer = instance
        .make_key(&json!({"name": "w", "scopes": ["scores:write"]}))
        .1;
    let of = |key: &str, body: Value| instance.with_key(key, "POST", "/tokens", &body.to_string());
    let all = of(&writer, json!({"player": "p"}));
    assert_eq!(all.json()["scopes"], json!(["scores:write"]));
    for scopes in [
        json!(["scores:read"]),
        json!(["admin"]),
        json!(["scores:write", "admin"]),
    ] {
        let answer = of(&writer, json!({"player": "p", "scopes": scopes}));
        assert_eq!(answer.problem().2, "#/scopes", "{scopes}");
    }
    let admin = instance.make_key(&json!({"name": "a", "scopes": ["admin"]})).1;
    assert_eq!(
        of(&admin, json!({"player": "p", "scopes": ["admin"]}))
            .problem()
            .2,
        "#/scopes"
    );
    let reader = instance
        .make_key(&json!({"name": "r", "scopes": ["scores:read"]}))
        .1;
    assert_eq!(of(&reader, json!({"player": "p"})).status, 403);
    assert_eq!(
        instance.send("POST", "/tokens", r#"{"player":"p"}"#, &[]).status,
        401
    );
    let player = token(&instance, &writer, &json!({"player": "p"}));
    let again = instance.with_token(&player, "POST", "/tokens", r#"{"player":"q"}"#);
    assert_eq!(again.problem().1, "forbidden");
}

#[test]
fn a_players_token_administers_nothing() {
    let region = Region::new();
    let instance = region.instance();
    let token = token(&instance, &server(&instance), &json!({"player": "p"}));
    for (method, path) in [
        ("GET", "/keys"),
        ("GET", "/issuers"),
        ("GET", "/operator/issuers"),
        ("DELETE", "/leaderboards/b"),
    ] {
        assert_eq!(
            instance.with_token(&token, method, path, "").status,
            403,
            "{path}"
        );
    }
}

#[test]
fn a_players_token_writes_its_own_score_now_and_nothing_else() {
    let region = Region::new();
    let instance = region.instance();
    let board = json!({"access": {"write": "player"}});
    assert_eq!(instance.operator("PUT", "/leaderboards/b", &board).status, 201);
    let token = token(&instance, &server(&instance), &json!({"player": "p"}));
    let submit =
        |body: Value| instance.with_token(&token, "POST", "/leaderboards/b/scores", &body.to_string());
    assert_eq!(submit(json!({"player": "p", "score": 1})).status, 200);
    assert_eq!(submit(json!({"player": "q", "score": 1})).status, 403);
    let dated = json!({"player": "p", "score": 2, "occurred_at": "2026-07-01T00:00:00Z"});
    assert_eq!(
        submit(dated).problem(),
        (422, "validation".to_owned(), "#/occurred_at".to_owned())
    );
    for player in ["p", "q"] {
        let removal = format!("/leaderboards/b/scores/{player}");
        assert_eq!(
            instance.with_token(&token, "DELETE", &removal, "").status,
            403,
            "{player}"
        );
    }
    assert_eq!(
        instance
            .operator("DELETE", "/leaderboards/b/scores/p", &Value::Null)
            .status,
        204
    );
}

#[test]
fn a_players_token_overrides_no_operator() {
    let region = Region::new();
    let instance = region.instance();
    let board = json!({"access": {"write": "player"}, "operator_override": true});
    assert_eq!(instance.operator("PUT", "/leaderboards/b", &board).status, 201);
    let key = server(&instance);
    let token = token(&instance, &key, &json!({"player": "p"}));
    let of_player = |body: &Value| instance.with_token(&token, "POST", SCORES, &body.to_string());
    for operator in ["increment", "decrement", "set"] {
        let body = json!({"player": "p", "score": 5, "operator": operator});
        let refused = (422, "validation".to_owned(), "#/operator".to_owned());
        assert_eq!(of_player(&body).problem(), refused, "{operator}");
        let batch = of_player(&json!({"scores": [{"player": "p", "score": 1}, body]}));
        assert_eq!(batch.status, 207, "{batch:?}");
        let results = &batch.json()["results"];
        assert_eq!(results[0]["status_code"], 200);
        assert_eq!(results[1]["status_code"], 422);
        assert_eq!(
            results[1]["problem"]["errors"][0]["pointer"],
            "#/scores/1/operator"
        );
        let several = json!({"leaderboards": ["b"], "player": "p", "score": 5, "operator": operator});
        let several = instance.with_token(&token, "POST", "/scores", &several.to_string());
        assert_eq!(several.problem(), refused, "{operator}");
    }
    // The leaderboard's own operator is no override, and a server may name another one.
    let own = json!({"player": "p", "score": 2, "operator": "best"});
    assert_eq!(of_player(&own).json()["values"]["score"], 2);
    let body = json!({"player": "p", "score": 5, "operator": "increment"}).to_string();
    let server = instance.with_key(&key, "POST", SCORES, &body);
    assert_eq!(server.json()["values"]["score"], 7);
}

#[test]
fn the_secret_can_be_replaced() {
    let region = Region::new();
    let old = region.instance();
    let token = token(&old, &server(&old), &json!({"player": "p"}));
    let read = |instance: &Instance| {
        let answer = instance.with_token(&token, "GET", "/leaderboards/b/entries", "");
        answer.status
    };
    let new = "another secret of the operator, for every region";
    assert_eq!(read(&old), 404);
    assert_eq!(read(&region.instance_with(new, SECRET)), 404);
    assert_eq!(read(&region.instance_with(new, "")), 401);
    assert_eq!(read(&region.instance_with("", "")), 401);
}

#[test]
fn without_a_secret_no_tokens_are_issued() {
    let region = Region::new();
    let instance = region.instance_with("", "");
    let answer = instance.operator("POST", "/tokens", &json!({"player": "p"}));
    assert_eq!(answer.problem().1, "not-configured");
}

#[test]
fn requests_for_tokens_are_checked_field_by_field() {
    let region = Region::new();
    let instance = region.instance();
    for (body, place) in [
        (json!({}), "#/player"),
        (json!({"player": ""}), "#/player"),
        (json!({"player": "a\nb"}), "#/player"),
        (json!({"player": "p", "lifetime_s": 0}), "#/lifetime_s"),
        (json!({"player": "p", "lifetime_s": 2_592_001}), "#/lifetime_s"),
        (json!({"player": "p", "scopes": ["x"]}), "#/scopes/0"),
        (json!({"player": "p", "tenant": "other"}), "#/tenant"),
    ] {
        let answer = instance.operator("POST", "/tokens", &body);
        assert_eq!(
            answer.problem(),
            (422, "validation".to_owned(), place.to_owned()),
            "{body}"
        );
    }
}

/// Nobody can block another player's score by using up its id first.
#[test]
fn the_ids_of_a_player_are_their_own() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let key = server(&instance);
    let of = |player: &str| token(&instance, &key, &json!({"player": player}));
    let (ann, bob) = (of("ann"), of("bob"));
    let submit = |token: &str, player: &str, score: i64| {
        let body = json!({"player": player, "score": score, "id": "match-7"}).to_string();
        instance.with_token(token, "POST", SCORES, &body)
    };
    assert_eq!(submit(&ann, "ann", 1).status, 200);
    let own = submit(&bob, "bob", 2);
    assert_eq!(
        (own.status, &own.json()["replayed"]),
        (200, &json!(false)),
        "{own:?}"
    );
    assert_eq!(submit(&bob, "bob", 2).json()["replayed"], true);
    assert_eq!(submit(&bob, "bob", 3).problem().1, "id-conflict");
    // A server's ids are the leaderboard's, and apart from those of its players.
    let server = |player: &str| {
        let body = json!({"player": player, "score": 5, "id": "match-7"}).to_string();
        instance.with_key(&key, "POST", SCORES, &body)
    };
    assert_eq!(server("carl").json()["replayed"], false);
    assert_eq!(server("dora").problem().1, "id-conflict");
    // The bound of an id is the client's, however long the player is.
    let long = "x".repeat(128);
    let longest = of(&long);
    let body = json!({"player": long, "score": 1, "id": long}).to_string();
    assert_eq!(instance.with_token(&longest, "POST", SCORES, &body).status, 200);
    let body = json!({"player": long, "score": 1, "id": "x".repeat(129)}).to_string();
    let refused = instance.with_token(&longest, "POST", SCORES, &body);
    assert_eq!(refused.problem().2, "#/id");
}

#[test]
fn an_idempotency_key_is_its_callers() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let (one, two) = (server(&instance), server(&instance));
    let submit = |key: &str, tenant: &[(&str, &str)], player: &str| {
        let mut headers = vec![("x-api-key", key), ("idempotency-key", "\"k\"")];
        headers.extend(tenant);
        let body = json!({"player": player, "score": 1}).to_string();
        instance.send("POST", SCORES, &body, &headers)
    };
    let acme = [("x-tenant-id", "acme")];
    for (key, tenant, player) in [
        (one.as_str(), &[][..], "a"),
        (two.as_str(), &[], "b"),
        (crate::service::KEY, &acme, "c"),
    ] {
        let first = submit(key, tenant, player);
        assert_eq!(
            (first.status, &first.json()["replayed"]),
            (200, &json!(false)),
            "{first:?}"
        );
        assert_eq!(submit(key, tenant, player).json()["replayed"], true);
        assert_eq!(submit(key, tenant, "other").problem().1, "id-conflict");
    }
}

#[test]
fn a_token_ends_with_the_key_that_issued_it() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let scopes = json!(["scores:read", "scores:write"]);
    let body = json!({"name": "n", "scopes": scopes, "expires_at": "2026-07-19T21:14:00.900Z"});
    let (_, key) = instance.make_key(&body);
    let issued = instance.with_key(&key, "POST", "/tokens", r#"{"player":"p","lifetime_s":86400}"#);
    assert_eq!(issued.status, 201, "{issued:?}");
    assert_eq!(issued.json()["expires_in"], 600);
    assert_eq!(issued.json()["expires_at"], "2026-07-19T21:14:00.000Z");
    let token = issued.json()["token"].as_str().unwrap().to_owned();
    let read = || {
        instance
            .with_token(&token, "GET", "/leaderboards/b/entries", "")
            .status
    };
    region.pass_ms(600_899);
    assert_eq!(read(), 200);
    // No clock's leeway gives a token more time than its key has.
    region.pass_ms(1);
    assert_eq!(read(), 401);
}

#[test]
fn a_token_is_refused_once_its_key_is_revoked() {
    let region = Region::new();
    let (here, there) = (region.instance(), region.instance());
    here.make_board();
    let scopes = json!(["scores:read", "scores:write", "admin"]);
    let (id, key) = here.make_key(&json!({"name": "n", "scopes": scopes}));
    let (other, token) = (server(&here), token(&here, &key, &json!({"player": "p"})));
    let read =
        |instance: &Instance, token: &str| instance.with_token(token, "GET", "/leaderboards/b/entries", "");
    assert_eq!(
        (read(&here, &token).status, read(&there, &token).status),
        (200, 200)
    );
    let of_other = self::token(&here, &other, &json!({"player": "p"}));
    region.pass_ms(1_000);
    let path = format!("/keys/{id}");
    assert_eq!(here.operator("DELETE", &path, &Value::Null).status, 204);
    assert_eq!(read(&here, &token).status, 401);
    region.pass_ms(4_000);
    let refused = read(&there, &token);
    assert_eq!(
        refused.header("www-authenticate"),
        r#"Bearer realm="edgeboard", error="invalid_token", error_description="the token was revoked""#
    );
    // Also when nothing is left of the key.
    assert_eq!(here.operator("DELETE", &path, &Value::Null).status, 204);
    region.pass_ms(5_000);
    assert_eq!(
        (read(&here, &token).status, read(&there, &token).status),
        (401, 401)
    );
    assert_eq!(
        (read(&here, &of_other).status, read(&there, &of_other).status),
        (200, 200)
    );
}

#[test]
fn a_token_is_good_from_where_its_key_says() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let read = |token: &str, address: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("spin-client-addr", address)];
        instance
            .send("GET", "/leaderboards/b/entries", "", &headers)
            .status
    };
    let issue = |more: Value| {
        let mut body = json!({"name": "n", "scopes": ["scores:read", "scores:write"],
            "allowed_addresses": ["192.0.2.0/24"]});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let key = instance.make_key(&body).1;
        let headers = [("x-api-key", key.as_str()), ("spin-client-addr", "192.0.2.1:80")];
        let issued = instance.send("POST", "/tokens", r#"{"player":"p"}"#, &headers);
        assert_eq!(issued.status, 201, "{issued:?}");
        issued.json()["token"].as_str().unwrap().to_owned()
    };
    let bound = issue(json!({}));
    assert_eq!(
        (read(&bound, "192.0.2.9:1"), read(&bound, "203.0.113.9:1")),
        (200, 403)
    );
    // An administrator lets the players of a guarded server play from elsewhere.
    let free = issue(json!({"token_addresses": []}));
    assert_eq!(
        (read(&free, "192.0.2.9:1"), read(&free, "203.0.113.9:1")),
        (200, 200)
    );
    let other = issue(json!({"token_addresses": ["203.0.113.0/24"]}));
    assert_eq!(
        (read(&other, "192.0.2.9:1"), read(&other, "203.0.113.9:1")),
        (403, 200)
    );
}

#[test]
fn a_tenant_revokes_all_tokens_at_once() {
    let region = Region::new();
    let (here, there) = (region.instance(), region.instance());
    here.make_board();
    let key = server(&here);
    let old = token(&here, &key, &json!({"player": "p"}));
    let read = |instance: &Instance, token: &str| {
        instance
            .with_token(token, "GET", "/leaderboards/b/entries", "")
            .status
    };
    assert_eq!((read(&here, &old), read(&there, &old)), (200, 200));
    region.pass_ms(2_000);
    let record = json!({"tokens_not_before": "2026-07-19T21:04:02Z"});
    let put = here.operator("PUT", "/tenants/acme", &record);
    assert_eq!(
        (put.status, &put.json()["tokens_not_before"]),
        (201, &json!("2026-07-19T21:04:02.000Z"))
    );
    assert_eq!(read(&here, &old), 401);
    let new = token(&here, &key, &json!({"player": "p"}));
    assert_eq!(read(&here, &new), 200);
    region.pass_ms(30_000);
    assert_eq!((read(&there, &old), read(&there, &new)), (401, 200));
    // The act is in the audit log.
    let log = here.operator("GET", "/operator/audit", &Value::Null);
    assert!(log.text.contains("/tenants/:tenant"), "{log:?}");
}

/// Tokens cost the store what their key costs, however many there are.
#[test]
fn a_hundred_tokens_of_a_key_ask_the_store_for_it_once() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let key = server(&instance);
    let tokens: Vec<String> = (0..100)
        .map(|n| {
            token(
                &instance,
                &key,
                &json!({"player": format!("p{n}"), "lifetime_s": 60}),
            )
        })
        .collect();
    let fresh = region.instance();
    let before = region.store.document_reads.get();
    for token in &tokens {
        let body = r#"{"context":{}}"#;
        let told = fresh.with_token(token, "POST", "/ofrep/v1/evaluate/flags", body);
        assert_eq!(told.status, 200, "{told:?}");
    }
    let reads = region.store.document_reads.get() - before;
    assert!(
        reads <= 3,
        "{reads} reads: of the operator, the tenant and the key"
    );
}
