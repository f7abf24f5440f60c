//! Whatever is sent: an answer, never a panic, and never an acceptance.

use leaderboard_core::TenantId;
use leaderboard_identity::api_key::{ApiKey, ApiKeyRecord};
use leaderboard_identity::token::{
    Discovery, Hosts, KeyOrigin, KeySet, PresentedToken, TokenProblem, VerificationKey, checked_url,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::given::{claims, encode, hs256, hs256_text, now, public_keys, secret_keys, verifier};

/// Text that looks like JSON more often than not.
fn json_like() -> impl Strategy<Value = String> {
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

/// The keys of both kinds.
fn never_accepted(token: &str) {
    for keys in [secret_keys(), public_keys()] {
        assert!(verifier().verify_text(token, &keys, now()).is_err(), "{token}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_as_a_token(text in any::<String>()) {
        never_accepted(&text);
    }

    #[test]
    fn any_three_parts_are_refused(header in json_like(), claims in json_like(), signature in any::<Vec<u8>>()) {
        never_accepted(&format!("{}.{}.{}", encode(header), encode(claims), encode(signature)));
    }

    #[test]
    fn any_claims_with_a_good_signature_get_an_answer(header in json_like(), payload in json_like()) {
        let outcome = verifier().verify_text(&hs256_text(&header, &payload), &secret_keys(), now());
        prop_assert!(outcome.is_err());
        let known = hs256_text(r#"{"alg":"HS256","kid":"k"}"#, &payload);
        prop_assert!(verifier().verify_text(&known, &secret_keys(), now()).is_err());
    }

    #[test]
    fn a_good_token_with_a_piece_replaced_is_refused(place in any::<prop::sample::Index>(), piece in any::<Vec<u8>>()) {
        let token = hs256(&claims());
        let mut bytes = token.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes.splice(place..(place + piece.len()).min(token.len()), piece);
        if let Ok(changed) = String::from_utf8(bytes) && changed != token {
            never_accepted(&changed);
        }
    }

    #[test]
    fn the_header_of_a_token_is_never_believed(header in json_like()) {
        if let Ok(presented) = PresentedToken::parse(&format!("{}.e30.", encode(header))) {
            let outcome = verifier().verify(&presented, &secret_keys(), now());
            prop_assert!(!matches!(outcome, Ok(_) | Err(TokenProblem::Expired)));
        }
    }

    #[test]
    fn any_bytes_are_no_document_and_no_record(bytes in any::<Vec<u8>>(), text in any::<String>(), json in json_like()) {
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
    fn keys_of_any_numbers_get_an_answer(n in any::<Vec<u8>>(), e in any::<Vec<u8>>(), x in any::<[u8; 32]>(), y in any::<[u8; 32]>()) {
        let taken = |jwk: Value| VerificationKey::from_jwk(&jwk, KeyOrigin::Published).is_ok();
        let rsa = taken(serde_json::json!({"kty": "RSA", "n": encode(&n), "e": encode(e)}));
        prop_assert!(!rsa || n.len() >= 256);
        taken(serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": encode(x)}));
        // A random pair is on the curve once in 2^256 times.
        let point = serde_json::json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)});
        prop_assert!(!taken(point));
    }

    #[test]
    fn every_key_that_is_made_can_be_read(random in any::<[u8; 32]>(), tenant in "[a-z0-9][a-z0-9._-]{0,63}") {
        let tenant = TenantId::new(tenant).unwrap();
        let key = ApiKey::generate(&tenant, &random);
        let read = ApiKey::parse(key.text.reveal()).unwrap();
        prop_assert_eq!(read.tenant(), &tenant);
        prop_assert_eq!((read.id(), read.digest()), (key.id, key.digest));
    }
}
