//! Tests that invalid tokens are refused, each with the right problem.

use jwt_compact::alg::{Hs256, Hs256Key};
use leaderboard_identity::token::{
    KeyOrigin, KeySet, MAX_TOKEN_BYTES, PresentedToken, TokenProblem, VerificationKey,
};
use serde_json::{Value, json};

use crate::given::{
    NOW_S, create_claims, create_claims_with, create_public_tokens, create_verifier, ed25519_jwk, encode,
    now, p256_jwk, public_keys, rsa_jwk, secret_keys, sign, sign_hs256, sign_hs256_text,
};

/// Returns why a token is refused.
fn find_problem(token: &str) -> TokenProblem {
    create_verifier()
        .verify_text(token, &secret_keys(), now())
        .unwrap_err()
}

/// Returns why a token with these changed claims is refused.
fn find_problem_of_claims(changes: &Value) -> TokenProblem {
    find_problem(&sign_hs256(&create_claims_with(changes)))
}

/// Returns whether a token with these changed claims is accepted.
fn is_accepted(changes: &Value) -> bool {
    let token = sign_hs256(&create_claims_with(changes));
    create_verifier()
        .verify_text(&token, &secret_keys(), now())
        .is_ok()
}

#[test]
fn time_claims_are_checked_with_a_leeway_of_one_minute() {
    assert!(is_accepted(&json!({"exp": NOW_S - 59})));
    assert_eq!(
        find_problem_of_claims(&json!({"exp": NOW_S - 60})),
        TokenProblem::Expired
    );
    assert_eq!(
        find_problem_of_claims(&json!({"exp": null})),
        TokenProblem::MissingClaim("exp".into())
    );
    assert!(is_accepted(&json!({"nbf": NOW_S + 60})));
    assert_eq!(
        find_problem_of_claims(&json!({"nbf": NOW_S + 61})),
        TokenProblem::NotYetValid
    );
    assert!(is_accepted(&json!({"iat": NOW_S + 60, "nbf": null})));
    assert_eq!(
        find_problem_of_claims(&json!({"iat": NOW_S + 61})),
        TokenProblem::IssuedInFuture
    );
    assert!(is_accepted(&json!({"iat": null, "nbf": null})));
}

#[test]
fn invalid_time_claims_are_malformed() {
    for bad in [
        json!("tomorrow"),
        json!([1]),
        json!(1e300),
        json!(-1e300),
        json!(u64::MAX),
    ] {
        for name in ["exp", "nbf", "iat"] {
            assert_eq!(
                find_problem_of_claims(&json!({name: bad})),
                TokenProblem::Malformed,
                "{name} {bad}"
            );
        }
    }
    // RFC 7519, section 2, allows a fraction.
    assert!(is_accepted(&json!({"exp": 1_784_419_300.5})));
}

#[test]
fn the_issuer_must_be_equal_byte_for_byte() {
    for other in [
        json!("https://id.example/"),
        json!("https://ID.example"),
        Value::Null,
    ] {
        assert_eq!(
            find_problem_of_claims(&json!({"iss": other})),
            TokenProblem::WrongIssuer
        );
    }
    let list = json!({"iss": ["https://id.example"]});
    assert_eq!(
        find_problem_of_claims(&list),
        TokenProblem::InvalidClaim("iss".into())
    );
}

#[test]
fn unsigned_tokens_and_unsupported_algorithms_are_refused() {
    for name in [
        "none", "None", "NONE", "", "HS512", "RS384", "PS256", "ES256K", "hs256",
    ] {
        let header = encode(json!({"alg": name, "kid": "k"}).to_string());
        let claims = encode(create_claims().to_string());
        let token = format!("{header}.{claims}.");
        assert_eq!(find_problem(&token), TokenProblem::UnsupportedAlgorithm, "{name}");
    }
}

/// Tests the attack of RFC 8725, section 2.1: an attacker uses the public key as the secret of an HMAC.
#[test]
fn a_public_key_is_not_accepted_as_the_secret_of_an_hmac() {
    for (jwk, kid) in [(rsa_jwk(), "rsa"), (p256_jwk(), "ec"), (ed25519_jwk(), "ed")] {
        let header = json!({"alg": "HS256", "kid": kid}).to_string();
        let key = Hs256Key::new(jwk.to_string());
        let token = sign(&Hs256, &key, &header, &create_claims().to_string());
        let outcome = create_verifier().verify_text(&token, &public_keys(), now());
        assert_eq!(outcome, Err(TokenProblem::AlgorithmMismatch), "{kid}");
    }
}

#[test]
fn a_token_that_names_the_wrong_algorithm_of_its_key_is_refused() {
    for token in create_public_tokens(&create_claims()) {
        let (_, rest) = token.split_once('.').unwrap();
        let header = encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        assert_eq!(
            find_problem(&format!("{header}.{rest}")),
            TokenProblem::AlgorithmMismatch
        );
    }
}

#[test]
fn a_different_key_with_the_same_id_does_not_verify() {
    let other = VerificationKey::from_secret(Some("k"), b"another secret of at least 32 bytes").unwrap();
    let outcome =
        create_verifier().verify_text(&sign_hs256(&create_claims()), &KeySet::new(vec![other]), now());
    assert_eq!(outcome, Err(TokenProblem::BadSignature));
    let foreign = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
    let foreign = KeySet::parse(foreign.to_string().as_bytes(), KeyOrigin::Published).unwrap();
    let token = create_public_tokens(&create_claims()).remove(0);
    let outcome = create_verifier().verify_text(&token, &foreign, now());
    assert_eq!(outcome, Err(TokenProblem::BadSignature));
}

#[test]
fn an_unknown_key_is_a_separate_problem_so_that_keys_can_be_fetched() {
    let token = sign_hs256_text(r#"{"alg":"HS256","kid":"new"}"#, &create_claims().to_string());
    let kid = Some("new".to_owned());
    assert_eq!(find_problem(&token), TokenProblem::UnknownKey { kid });
    assert_eq!(
        TokenProblem::UnknownKey {
            kid: Some("<script>".to_owned())
        }
        .to_string(),
        "the token's key is not known"
    );
}

#[test]
fn a_truncated_token_is_refused() {
    let tokens = [
        sign_hs256(&create_claims()),
        create_public_tokens(&create_claims()).remove(0),
    ];
    for (token, keys) in tokens.iter().zip([secret_keys(), public_keys()]) {
        for end in 0..token.len() {
            let outcome = create_verifier().verify_text(&token[..end], &keys, now());
            assert!(
                matches!(outcome, Err(TokenProblem::Malformed | TokenProblem::BadSignature)),
                "{end}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_token_with_a_changed_byte_is_refused() {
    let token = sign_hs256(&create_claims());
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(
            create_verifier()
                .verify_text(&changed, &secret_keys(), now())
                .is_err(),
            "{place}"
        );
    }
}

#[test]
fn a_huge_token_is_refused_before_it_is_parsed() {
    let token = sign_hs256(&create_claims_with(
        &json!({"padding": "x".repeat(MAX_TOKEN_BYTES)}),
    ));
    assert_eq!(find_problem(&token), TokenProblem::TooLarge);
    assert_eq!(find_problem(&"a".repeat(10 << 20)), TokenProblem::TooLarge);
}

#[test]
fn too_many_or_too_deeply_nested_claims_are_refused() {
    let many: serde_json::Map<_, _> = (0..10_000).map(|n| (n.to_string(), json!(0))).collect();
    assert_eq!(
        find_problem_of_claims(&Value::Object(many)),
        TokenProblem::TooLarge
    );
    let many: serde_json::Map<_, _> = (0..500).map(|n| (n.to_string(), json!(0))).collect();
    assert_eq!(
        find_problem_of_claims(&Value::Object(many)),
        TokenProblem::TooComplex
    );
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let token = sign_hs256_text(r#"{"alg":"HS256","kid":"k"}"#, &format!(r#"{{"a":{deep}}}"#));
    assert_eq!(find_problem(&token), TokenProblem::TooComplex);
    let token = sign_hs256_text(
        &format!(r#"{{"alg":"HS256","a":{deep}}}"#),
        &create_claims().to_string(),
    );
    assert_eq!(find_problem(&token), TokenProblem::TooComplex);
}

#[test]
fn critical_headers_are_refused() {
    for header in [
        r#"{"alg":"HS256","kid":"k","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","kid":"k","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","kid":"k","crit":[]}"#,
    ] {
        let token = sign_hs256_text(header, &create_claims().to_string());
        assert_eq!(find_problem(&token), TokenProblem::CriticalHeader, "{header}");
    }
}

#[test]
fn repeated_names_and_invalid_json_are_malformed() {
    let twice = r#"{"iss":"https://id.example","aud":"scores","sub":"a","sub":"b","exp":99999999999}"#;
    assert_eq!(
        find_problem(&sign_hs256_text(r#"{"alg":"HS256","kid":"k"}"#, twice)),
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
        let token = sign_hs256_text(header, &create_claims().to_string());
        assert_eq!(find_problem(&token), TokenProblem::Malformed, "{header}");
    }
    for payload in ["", "null", "[]", "7", r#""text""#, "{", "{}{}"] {
        let token = sign_hs256_text(r#"{"alg":"HS256","kid":"k"}"#, payload);
        assert_eq!(find_problem(&token), TokenProblem::Malformed, "{payload}");
    }
}

#[test]
fn text_that_is_not_a_token_is_malformed() {
    let good = sign_hs256(&create_claims());
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
                PresentedToken::parse(bad).and_then(|token| create_verifier().verify(
                    &token,
                    &secret_keys(),
                    now()
                )),
                Err(TokenProblem::Malformed)
            ),
            "{bad:?}"
        );
    }
}
