//! Tokens that must not be accepted, and what is said about each.

use jwt_compact::alg::{Hs256, Hs256Key};
use leaderboard_identity::token::{
    KeyOrigin, KeySet, MAX_TOKEN_BYTES, PresentedToken, TokenProblem, VerificationKey,
};
use serde_json::{Value, json};

use crate::given::{
    NOW_S, claims, claims_with, ed25519_jwk, encode, hs256, hs256_text, now, p256_jwk, public_keys,
    public_tokens, rsa_jwk, secret_keys, sign, verifier,
};

fn refused(token: &str) -> TokenProblem {
    verifier().verify_text(token, &secret_keys(), now()).unwrap_err()
}

fn refused_claims(changes: &Value) -> TokenProblem {
    refused(&hs256(&claims_with(changes)))
}

fn accepted(changes: &Value) -> bool {
    let token = hs256(&claims_with(changes));
    verifier().verify_text(&token, &secret_keys(), now()).is_ok()
}

#[test]
fn times_count_with_the_leeway_of_a_minute() {
    assert!(accepted(&json!({"exp": NOW_S - 59})));
    assert_eq!(refused_claims(&json!({"exp": NOW_S - 60})), TokenProblem::Expired);
    assert_eq!(
        refused_claims(&json!({"exp": null})),
        TokenProblem::MissingClaim("exp".into())
    );
    assert!(accepted(&json!({"nbf": NOW_S + 60})));
    assert_eq!(
        refused_claims(&json!({"nbf": NOW_S + 61})),
        TokenProblem::NotYetValid
    );
    assert!(accepted(&json!({"iat": NOW_S + 60, "nbf": null})));
    assert_eq!(
        refused_claims(&json!({"iat": NOW_S + 61})),
        TokenProblem::IssuedInFuture
    );
    assert!(accepted(&json!({"iat": null, "nbf": null})));
}

#[test]
fn times_that_are_none_are_malformed() {
    for bad in [
        json!("tomorrow"),
        json!([1]),
        json!(1e300),
        json!(-1e300),
        json!(u64::MAX),
    ] {
        for name in ["exp", "nbf", "iat"] {
            assert_eq!(
                refused_claims(&json!({name: bad})),
                TokenProblem::Malformed,
                "{name} {bad}"
            );
        }
    }
    // A fraction is allowed by RFC 7519, section 2.
    assert!(accepted(&json!({"exp": 1_784_419_300.5})));
}

#[test]
fn another_issuer_is_refused_to_the_byte() {
    for other in [
        json!("https://id.example/"),
        json!("https://ID.example"),
        Value::Null,
    ] {
        assert_eq!(refused_claims(&json!({"iss": other})), TokenProblem::WrongIssuer);
    }
    let list = json!({"iss": ["https://id.example"]});
    assert_eq!(refused_claims(&list), TokenProblem::InvalidClaim("iss".into()));
}

#[test]
fn an_unsigned_token_is_refused_however_none_is_spelt() {
    for name in [
        "none", "None", "NONE", "", "HS512", "RS384", "PS256", "ES256K", "hs256",
    ] {
        let header = encode(json!({"alg": name, "kid": "k"}).to_string());
        let claims = encode(claims().to_string());
        let token = format!("{header}.{claims}.");
        assert_eq!(refused(&token), TokenProblem::UnsupportedAlgorithm, "{name}");
    }
}

/// The attack of RFC 8725, section 2.1: the public key, which everybody has, as the secret of an HMAC.
#[test]
fn a_public_key_is_no_secret() {
    for (jwk, kid) in [(rsa_jwk(), "rsa"), (p256_jwk(), "ec"), (ed25519_jwk(), "ed")] {
        let header = json!({"alg": "HS256", "kid": kid}).to_string();
        let key = Hs256Key::new(jwk.to_string());
        let token = sign(&Hs256, &key, &header, &claims().to_string());
        let outcome = verifier().verify_text(&token, &public_keys(), now());
        assert_eq!(outcome, Err(TokenProblem::AlgorithmMismatch), "{kid}");
    }
}

#[test]
fn a_token_that_names_the_wrong_algorithm_of_its_key_is_refused() {
    for token in public_tokens(&claims()) {
        let (_, rest) = token.split_once('.').unwrap();
        let header = encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        assert_eq!(
            refused(&format!("{header}.{rest}")),
            TokenProblem::AlgorithmMismatch
        );
    }
}

#[test]
fn a_wrong_key_of_the_right_name_does_not_verify() {
    let other = VerificationKey::from_secret(Some("k"), b"another secret of at least 32 bytes").unwrap();
    let outcome = verifier().verify_text(&hs256(&claims()), &KeySet::new(vec![other]), now());
    assert_eq!(outcome, Err(TokenProblem::BadSignature));
    let foreign = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
    let foreign = KeySet::parse(foreign.to_string().as_bytes(), KeyOrigin::Published).unwrap();
    let token = public_tokens(&claims()).remove(0);
    let outcome = verifier().verify_text(&token, &foreign, now());
    assert_eq!(outcome, Err(TokenProblem::BadSignature));
}

#[test]
fn an_unknown_key_is_told_apart_so_that_new_keys_can_be_fetched() {
    let token = hs256_text(r#"{"alg":"HS256","kid":"new"}"#, &claims().to_string());
    let kid = Some("new".to_owned());
    assert_eq!(refused(&token), TokenProblem::UnknownKey { kid });
    assert_eq!(
        TokenProblem::UnknownKey {
            kid: Some("<script>".to_owned())
        }
        .to_string(),
        "the token's key is not known"
    );
}

#[test]
fn a_token_is_refused_wherever_it_is_cut() {
    let tokens = [hs256(&claims()), public_tokens(&claims()).remove(0)];
    for (token, keys) in tokens.iter().zip([secret_keys(), public_keys()]) {
        for end in 0..token.len() {
            let outcome = verifier().verify_text(&token[..end], &keys, now());
            assert!(
                matches!(outcome, Err(TokenProblem::Malformed | TokenProblem::BadSignature)),
                "{end}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_changed_byte_is_noticed() {
    let token = hs256(&claims());
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(
            verifier().verify_text(&changed, &secret_keys(), now()).is_err(),
            "{place}"
        );
    }
}

#[test]
fn a_huge_token_is_refused_before_it_is_read() {
    let token = hs256(&claims_with(&json!({"padding": "x".repeat(MAX_TOKEN_BYTES)})));
    assert_eq!(refused(&token), TokenProblem::TooLarge);
    assert_eq!(refused(&"a".repeat(10 << 20)), TokenProblem::TooLarge);
}

#[test]
fn ten_thousand_claims_are_too_many_in_any_size() {
    let many: serde_json::Map<_, _> = (0..10_000).map(|n| (n.to_string(), json!(0))).collect();
    assert_eq!(refused_claims(&Value::Object(many)), TokenProblem::TooLarge);
    let many: serde_json::Map<_, _> = (0..500).map(|n| (n.to_string(), json!(0))).collect();
    assert_eq!(refused_claims(&Value::Object(many)), TokenProblem::TooComplex);
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let token = hs256_text(r#"{"alg":"HS256","kid":"k"}"#, &format!(r#"{{"a":{deep}}}"#));
    assert_eq!(refused(&token), TokenProblem::TooComplex);
    let token = hs256_text(&format!(r#"{{"alg":"HS256","a":{deep}}}"#), &claims().to_string());
    assert_eq!(refused(&token), TokenProblem::TooComplex);
}

#[test]
fn critical_headers_are_refused() {
    for header in [
        r#"{"alg":"HS256","kid":"k","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","kid":"k","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","kid":"k","crit":[]}"#,
    ] {
        let token = hs256_text(header, &claims().to_string());
        assert_eq!(refused(&token), TokenProblem::CriticalHeader, "{header}");
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let twice = r#"{"iss":"https://id.example","aud":"scores","sub":"a","sub":"b","exp":99999999999}"#;
    assert_eq!(
        refused(&hs256_text(r#"{"alg":"HS256","kid":"k"}"#, twice)),
        TokenProblem::Malformed
    );
    for header in [
        r#"{"alg":"HS256","kid":"k","alg":"none"}"#,
        r#"{"alg":"HS256","kid":"k","kid":"l"}"#,
        r#"{"alg":"HS256","kid":7}"#,
        r#"["HS256"]"#,
        r#"{"kid":"k"}"#,
        "",
    ] {
        let token = hs256_text(header, &claims().to_string());
        assert_eq!(refused(&token), TokenProblem::Malformed, "{header}");
    }
    for payload in ["", "null", "[]", "7", r#""text""#, "{", "{}{}"] {
        let token = hs256_text(r#"{"alg":"HS256","kid":"k"}"#, payload);
        assert_eq!(refused(&token), TokenProblem::Malformed, "{payload}");
    }
}

#[test]
fn text_that_is_no_token_is_malformed() {
    let good = hs256(&claims());
    for bad in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer x",
        "é.é.é",
        &format!("{good}="),
        &format!("{good}."),
        &format!(" {good}"),
        &format!("{good}\n"),
        &good.replace('.', "+"),
    ] {
        assert!(
            matches!(
                PresentedToken::parse(bad).and_then(|token| verifier().verify(&token, &secret_keys(), now())),
                Err(TokenProblem::Malformed)
            ),
            "{bad:?}"
        );
    }
}
