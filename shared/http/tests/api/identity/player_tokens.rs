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
