//! Property tests: no input causes a panic, and random input is never accepted.

use leaderboard_core::TenantId;
use leaderboard_identity::api_key::{ApiKey, ApiKeyRecord};
use leaderboard_identity::token::{
    Discovery, Hosts, KeyOrigin, KeySet, PresentedToken, TokenProblem, VerificationKey, checked_url,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::given::{
    create_claims, create_verifier, encode, now, public_keys, secret_keys, sign_hs256, sign_hs256_text,
};

/// Generates text that often looks like JSON.
fn generate_json_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "alg",
        "\"alg\"",
        "\"HS256\"",
        "\"EdDSA\"",
        "\"RS256\"",
        "\"ES256\"",
        "kid",
        "\"kid\"",
        "\"k\"",
        "exp",
        "\"exp\"",
        "1784419300",
        "1e999",
        "-1",
        "null",
        "true",
        "\"aud\"",
        "\"scores\"",
        "\"iss\"",
        "\"crit\"",
        "\"typ\"",
        "\"x5t\"",
        "\u{e9}",
        "\"cty\"",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Checks that a token is refused with the shared secret and with the published keys.
fn assert_refused(token: &str) {
    for keys in [secret_keys(), public_keys()] {
        assert!(
            create_verifier().verify_text(token, &keys, now()).is_err(),
            "{token}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_as_a_token(text in any::<String>()) {
        assert_refused(&text);
    }

    #[test]
    fn any_three_encoded_parts_are_refused(header in generate_json_like(), claims in generate_json_like(), signature in any::<Vec<u8>>()) {
        assert_refused(&format!("{}.{}.{}", encode(header), encode(claims), encode(signature)));
    }

    #[test]
    fn random_claims_with_a_valid_signature_are_refused(header in generate_json_like(), payload in generate_json_like()) {
        let outcome = create_verifier().verify_text(&sign_hs256_text(&header, &payload), &secret_keys(), now());
        prop_assert!(outcome.is_err());
        let known = sign_hs256_text(r#"{"alg":"HS256","kid":"k"}"#, &payload);
        prop_assert!(create_verifier().verify_text(&known, &secret_keys(), now()).is_err());
    }

    #[test]
    fn a_valid_token_with_a_replaced_piece_is_refused(place in any::<prop::sample::Index>(), piece in any::<Vec<u8>>()) {
        let token = sign_hs256(&create_claims());
        let mut bytes = token.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes.splice(place..(place + piece.len()).min(token.len()), piece);
        if let Ok(changed) = String::from_utf8(bytes) && changed != token {
            assert_refused(&changed);
        }
    }

    #[test]
    fn an_unsigned_token_with_any_header_is_refused(header in generate_json_like()) {
        if let Ok(presented) = PresentedToken::parse(&format!("{}.e30.", encode(header))) {
            let outcome = create_verifier().verify(&presented, &secret_keys(), now());
            prop_assert!(!matches!(outcome, Ok(_) | Err(TokenProblem::Expired)));
        }
    }

    #[test]
    fn random_input_is_refused_as_a_document_a_key_or_a_record(bytes in any::<Vec<u8>>(), text in any::<String>(), json in generate_json_like()) {
        prop_assert!(KeySet::parse(&bytes, KeyOrigin::Configured).is_err());
        prop_assert!(Discovery::parse(&bytes, "i").is_err());
        prop_assert!(ApiKeyRecord::decode(&bytes).is_none());
        prop_assert!(ApiKey::parse(&text).is_err());
        prop_assert!(VerificationKey::from_pem(None, &text).is_err());
        let _ = checked_url(&text, Hosts::Any);
        let _ = checked_url(&text, Hosts::Public);
        if let Ok(value) = serde_json::from_str::<Value>(&json) {
            prop_assert!(VerificationKey::from_jwk(&value, KeyOrigin::Configured).is_err());
        }
    }

    #[test]
    fn keys_with_random_numbers_do_not_cause_a_panic(n in any::<Vec<u8>>(), e in any::<Vec<u8>>(), x in any::<[u8; 32]>(), y in any::<[u8; 32]>()) {
        let is_accepted = |jwk: Value| VerificationKey::from_jwk(&jwk, KeyOrigin::Published).is_ok();
        let rsa = is_accepted(serde_json::json!({"kty": "RSA", "n": encode(&n), "e": encode(e)}));
        prop_assert!(!rsa || n.len() >= 256);
        is_accepted(serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": encode(x)}));
        // A random pair of numbers is a point of the curve with a probability of 2^-256.
        let point = serde_json::json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)});
        prop_assert!(!is_accepted(point));
    }

    #[test]
    fn every_generated_key_can_be_parsed(random in any::<[u8; 32]>(), tenant in "[a-z0-9][a-z0-9._-]{0,63}") {
        let tenant = TenantId::new(tenant).unwrap();
        let key = ApiKey::generate(&tenant, &random);
        let read = ApiKey::parse(key.text.reveal()).unwrap();
        prop_assert_eq!(read.tenant(), &tenant);
        prop_assert_eq!((read.id(), read.digest()), (key.id, key.digest));
    }
}
