//! Key sets that issuers publish.

use serde_json::{Value, json};

use crate::in_process::environment::{
    GONE, ISSUER, JWKS, Region, claims, issuer_document, issuer_with_key, jwk, sign, signing_key,
};

const MINUTE_MS: i64 = 60_000;

fn set(kids: &[(&str, u8)]) -> Value {
    let keys: Vec<Value> = kids
        .iter()
        .map(|(kid, seed)| jwk(kid, &signing_key(*seed)))
        .collect();
    json!({"keys": keys})
}

/// A token that is valid for long.
fn token(kid: &str, seed: u8) -> String {
    let mut claims = claims(json!({}));
    claims["exp"] = json!(9_999_999_999_u64);
    sign(kid, &signing_key(seed), &claims)
}

/// A region with an issuer whose keys are at [`JWKS`].
fn region() -> Region {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let made = instance.call("PUT", "/issuers/main", issuer_document());
    assert_eq!(made.status, 201, "{made:?}");
    // That they are not there yet was found out just now.
    region.pass_ms(2_000);
    region.web.requests.set(0);
    region
}

/// Puts the issuer and returns what the response says of its keys.
fn put(region: &Region, document: &Value) -> Value {
    let put = region.instance().call("PUT", "/issuers/main", document);
    assert!(put.status == 200 || put.status == 201, "{put:?}");
    region.pass_ms(30_000);
    put.json()["key_set"].clone()
}

#[test]
fn the_response_to_a_new_issuer_says_whether_its_keys_can_be_fetched() {
    let region = Region::of_acme();
    let document = issuer_document();
    let failed = |detail: &str| json!({"fetched": false, "detail": detail});
    // The response shows nothing of the service's network.
    assert_eq!(
        put(&region, &document),
        failed("https://id.example/keys cannot be reached.")
    );
    region.web.publish(JWKS, &json!("<html>"));
    let no_set = "https://id.example/keys is no key set with a key that can be used.";
    assert_eq!(put(&region, &document), failed(no_set));
    region
        .web
        .documents
        .borrow_mut()
        .insert(JWKS.to_owned(), GONE.to_owned());
    assert_eq!(
        put(&region, &document),
        failed("https://id.example/keys answered with 410 Gone.")
    );
    region
        .web
        .denied
        .borrow_mut()
        .push("https://id.example".to_owned());
    let denied = "The operator does not let this service ask https://id.example/keys: its host is not one of issuer_hosts.";
    assert_eq!(put(&region, &document), failed(denied));
    region.web.denied.borrow_mut().clear();
    region.web.publish(JWKS, &set(&[("a", 1), ("b", 2)]));
    assert_eq!(put(&region, &document), json!({"fetched": true, "keys": 2}));
    // Keys in the document are not fetched, and a read fetches nothing.
    let asked = region.web.requests.get();
    assert!(
        region
            .instance()
            .call("GET", "/issuers/main", &Value::Null)
            .json()["key_set"]
            .is_null()
    );
    assert!(put(&region, &issuer_with_key(&json!({}))).is_null());
    assert_eq!(region.web.requests.get(), asked);
    let found = json!({"issuer": ISSUER, "audiences": ["scores"], "discovery": true});
    let well_known = format!("{ISSUER}/.well-known/openid-configuration");
    region.web.publish(
        &well_known,
        &json!({"issuer": "https://other.example", "jwks_uri": JWKS}),
    );
    let other = format!("{well_known} is no discovery document of this issuer.");
    assert_eq!(put(&region, &found), failed(&other));
}

#[test]
fn repeated_changes_of_an_issuer_fetch_its_keys_once() {
    let region = Region::of_acme();
    let instance = region.instance();
    for _ in 0..10 {
        let put = instance.call("PUT", "/issuers/main", issuer_document());
        assert_eq!(put.json()["key_set"]["fetched"], false);
    }
    assert_eq!(region.web.requests.get(), 1);
}

#[test]
fn no_tenant_takes_away_the_keys_that_another_uses() {
    let region = region();
    region.web.publish(JWKS, &set(&[("a", 1)]));
    let instance = region.instance();
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    let other = |method: &str, id: &str, document: &Value| {
        instance.for_tenant("other", method, &format!("/issuers/{id}"), document)
    };
    // Another tenant takes the same issuer on and drops it again, and has many others.
    let mut document = issuer_document();
    document["audiences"] = json!(["others"]);
    assert_eq!(other("PUT", "main", &document), 201);
    assert_eq!(other("DELETE", "main", &Value::Null), 204);
    region.web.documents.borrow_mut().clear();
    for number in 0..130 {
        document["jwks_uri"] = json!(format!("https://0.example/{number}"));
        assert_eq!(other("PUT", "many", &document), 201, "{number}");
        assert_eq!(other("DELETE", "many", &Value::Null), 204);
    }
    // The issuer is down, so what is gone now cannot be fetched again.
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    assert_eq!(region.instance().read_with_token(&token("a", 1)), 200);
}

#[test]
fn a_set_is_fetched_once_for_a_region() {
    let region = region();
    region.web.publish(JWKS, &set(&[("a", 1)]));
    let (one, two) = (region.instance(), region.instance());
    for _ in 0..3 {
        assert_eq!(
            (
                one.read_with_token(&token("a", 1)),
                two.read_with_token(&token("a", 1))
            ),
            (200, 200)
        );
    }
    assert_eq!(region.web.requests.get(), 1);
    // After ten minutes it is fetched again, after the response.
    region.pass_ms(10 * MINUTE_MS);
    assert_eq!(one.read_with_token(&token("a", 1)), 200);
    assert_eq!(region.web.requests.get(), 2);
}

#[test]
fn a_new_key_is_found_and_unknown_keys_do_not_make_us_ask_at_will() {
    let region = region();
    region.web.publish(JWKS, &set(&[("a", 1)]));
    let instance = region.instance();
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    region.pass_ms(MINUTE_MS);
    region.web.publish(JWKS, &set(&[("a", 1), ("b", 2)]));
    assert_eq!(instance.read_with_token(&token("b", 2)), 200);
    assert_eq!(region.web.requests.get(), 2);
    for number in 0..20 {
        let unknown = token(&format!("x{number}"), 3);
        assert_eq!(instance.read_with_token(&unknown), 401);
        // Other instances of the region know when it was asked.
        assert_eq!(region.instance().read_with_token(&unknown), 401);
    }
    assert_eq!(region.web.requests.get(), 2);
    region.pass_ms(MINUTE_MS / 2);
    assert_eq!(instance.read_with_token(&token("y", 3)), 401);
    assert_eq!(region.web.requests.get(), 3);
}

#[test]
fn the_last_good_set_is_kept_while_the_issuer_is_down() {
    let region = region();
    region.web.publish(JWKS, &set(&[("a", 1)]));
    let instance = region.instance();
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    for trouble in [
        json!("<html>"),
        json!({"keys": []}),
        json!({"keys": [{"kty": "oct", "k": "AAAA"}]}),
    ] {
        region.web.publish(JWKS, &trouble);
        region.pass_ms(60 * MINUTE_MS);
        assert_eq!(instance.read_with_token(&token("a", 1)), 200);
        assert_eq!(region.instance().read_with_token(&token("a", 1)), 200);
    }
    region.web.documents.borrow_mut().clear();
    region.pass_ms(20 * 60 * MINUTE_MS);
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    // A day is the end of it.
    region.pass_ms(60 * MINUTE_MS);
    assert_eq!(instance.read_with_token(&token("a", 1)), 503);
}

#[test]
fn an_issuer_that_never_answered_is_unavailable_and_is_not_hammered() {
    let region = region();
    let instance = region.instance();
    for _ in 0..5 {
        let answer = instance.with_token(&token("a", 1), "GET", "/leaderboards/b/entries", "");
        assert_eq!(answer.problem().1, "unavailable");
    }
    assert_eq!(region.web.requests.get(), 1);
    region.web.publish(JWKS, &set(&[("a", 1)]));
    region.pass_ms(2_000);
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
}

#[test]
fn keys_are_found_by_discovery() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let document = json!({"issuer": ISSUER, "audiences": ["scores"], "discovery": true});
    assert_eq!(instance.call("PUT", "/issuers/main", &document).status, 201);
    let well_known = format!("{ISSUER}/.well-known/openid-configuration");
    region.web.publish("https://keys.example/", &set(&[("a", 1)]));
    let published = |issuer: &str, jwks_uri: &str| {
        region.pass_ms(5_000);
        region
            .web
            .publish(&well_known, &json!({"issuer": issuer, "jwks_uri": jwks_uri}));
        instance.read_with_token(&token("a", 1))
    };
    assert_eq!(published("https://other.example", "https://keys.example/"), 503);
    assert_eq!(published(ISSUER, "http://keys.example/"), 503);
    assert_eq!(published(ISSUER, "https://keys.example/"), 200);
}

#[test]
fn a_key_that_was_withdrawn_does_not_come_back_after_a_quiet_hour() {
    let region = region();
    region.web.publish(JWKS, &set(&[("a", 1)]));
    let instance = region.instance();
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    region.web.publish(JWKS, &set(&[("b", 2)]));
    region.pass_ms(61 * MINUTE_MS);
    assert_eq!(instance.read_with_token(&token("a", 1)), 401);
    assert_eq!(instance.read_with_token(&token("b", 2)), 200);
    assert_eq!(region.web.requests.get(), 2);
}

#[test]
fn a_new_key_under_the_old_name_is_found_and_bad_signatures_do_not_make_us_ask_at_will() {
    let region = region();
    region.web.publish(JWKS, &set(&[("a", 1)]));
    let instance = region.instance();
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    region.pass_ms(MINUTE_MS);
    region.web.publish(JWKS, &set(&[("a", 2)]));
    assert_eq!(instance.read_with_token(&token("a", 2)), 200);
    for _ in 0..10 {
        assert_eq!(instance.read_with_token(&token("a", 3)), 401);
    }
    assert_eq!(region.web.requests.get(), 2);
}

#[test]
fn an_issuer_that_takes_long_to_fail_is_left_alone_by_the_whole_region() {
    let region = region();
    region.web.takes_ms.set(3_000);
    let (one, two) = (region.instance(), region.instance());
    assert_eq!(one.read_with_token(&token("a", 1)), 503);
    assert_eq!(
        (
            one.read_with_token(&token("a", 1)),
            two.read_with_token(&token("a", 1))
        ),
        (503, 503)
    );
    assert_eq!(region.web.requests.get(), 1);
    region.web.takes_ms.set(0);
    region.web.publish(JWKS, &set(&[("a", 1)]));
    region.pass_ms(2_000);
    assert_eq!(two.read_with_token(&token("a", 1)), 200);
}

#[test]
fn nothing_is_kept_of_the_keys_of_an_issuer_that_is_gone() {
    let region = region();
    region.web.publish(JWKS, &set(&[("a", 1)]));
    let instance = region.instance();
    let kept = || {
        region
            .key_value
            .entries
            .borrow()
            .clone()
            .keys()
            .filter(|key| key.contains("jwks"))
            .count()
    };
    assert_eq!(instance.read_with_token(&token("a", 1)), 200);
    assert_eq!(kept(), 2);
    // Another document with the same keys does not touch them.
    let mut document = issuer_document();
    document["leeway_s"] = json!(1);
    assert_eq!(instance.call("PUT", "/issuers/main", &document).status, 200);
    assert_eq!(kept(), 2);
    assert_eq!(instance.call("DELETE", "/issuers/main", &Value::Null).status, 204);
    assert_eq!(kept(), 0);
}
