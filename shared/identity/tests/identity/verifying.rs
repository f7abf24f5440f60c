//! Good tokens, and what their claims mean.

use jwt_compact::alg::Ed25519;
use leaderboard_core::access::Scopes;
use leaderboard_core::{PlayerId, TenantId};
use leaderboard_identity::token::{ClaimsMapping, PresentedToken, TenantSource, TokenProblem, VerifiedToken};
use serde_json::{Value, json};

use crate::given::{
    NOW_S, at, claims, claims_with, ed25519_signing, hs256, hs256_text, now, public_keys, public_tokens,
    secret_keys, sign, tenant, verifier, verifier_with,
};

fn verify(claims: &Value, mapping: ClaimsMapping) -> Result<VerifiedToken, TokenProblem> {
    verifier_with(mapping).verify_text(&hs256(claims), &secret_keys(), now())
}

#[test]
fn every_algorithm_verifies_and_says_the_same() {
    let expected = VerifiedToken {
        tenant: tenant(),
        subject: Some("José".to_owned()),
        player: Some(PlayerId::new("José").unwrap()),
        scopes: Scopes::WRITE,
        token_id: None,
        issued_at: Some(at(NOW_S - 10)),
        expires_at: at(NOW_S + 600),
        binding: None,
    };
    assert_eq!(
        verifier().verify_text(&hs256(&claims()), &secret_keys(), now()),
        Ok(expected.clone())
    );
    for token in public_tokens(&claims()) {
        assert_eq!(
            verifier().verify_text(&token, &public_keys(), now()),
            Ok(expected.clone())
        );
    }
}

#[test]
fn the_newer_name_of_eddsa_is_known() {
    let header = r#"{"alg":"Ed25519","kid":"ed"}"#;
    let algorithm = Ed25519::with_specific_name();
    let token = sign(&algorithm, &ed25519_signing(), header, &claims().to_string());
    assert!(verifier().verify_text(&token, &public_keys(), now()).is_ok());
}

#[test]
fn a_token_without_a_kid_is_tried_with_the_keys_of_its_algorithm() {
    let token = sign(
        &Ed25519,
        &ed25519_signing(),
        r#"{"alg":"EdDSA"}"#,
        &claims().to_string(),
    );
    assert!(verifier().verify_text(&token, &public_keys(), now()).is_ok());
}

#[test]
fn the_issuer_that_a_token_claims_can_be_read_before() {
    let token = hs256(&claims());
    let presented = PresentedToken::parse(&token).unwrap();
    assert_eq!(presented.key_id(), Some("k"));
    assert_eq!(presented.claimed_issuer().as_deref(), Some("https://id.example"));
    let token = hs256(&json!({"iss": 1}));
    assert_eq!(PresentedToken::parse(&token).unwrap().claimed_issuer(), None);
}

#[test]
fn the_audience_may_be_one_of_many() {
    let mapping = || ClaimsMapping::players_of(tenant());
    let many = claims_with(&json!({"aud": ["other", "scores"]}));
    assert!(verify(&many, mapping()).is_ok());
    for aud in [
        json!(["other"]),
        json!([]),
        json!("scores2"),
        json!(1),
        Value::Null,
    ] {
        let other = claims_with(&json!({"aud": aud}));
        assert_eq!(verify(&other, mapping()), Err(TokenProblem::WrongAudience));
    }
}

#[test]
fn the_tenant_may_be_a_claim() {
    let mapping = ClaimsMapping {
        tenant: TenantSource::Claim("https://example.com/org".into()),
        ..ClaimsMapping::players_of(tenant())
    };
    let of = |value: Value| {
        let claims = claims_with(&json!({"https://example.com/org": value}));
        verify(&claims, mapping.clone()).map(|token| token.tenant)
    };
    let name = || Box::from("https://example.com/org");
    assert_eq!(of(json!("other")), Ok(TenantId::new("other").unwrap()));
    assert_eq!(of(Value::Null), Err(TokenProblem::MissingClaim(name())));
    assert_eq!(of(json!("Other:1")), Err(TokenProblem::InvalidClaim(name())));
    assert_eq!(of(json!(["other"])), Err(TokenProblem::InvalidClaim(name())));
}

#[test]
fn a_token_without_a_player_is_of_a_server_only_where_that_is_configured() {
    let players = ClaimsMapping::players_of(tenant());
    let nobody = claims_with(&json!({"sub": null}));
    assert_eq!(
        verify(&nobody, players.clone()),
        Err(TokenProblem::MissingClaim("sub".into()))
    );
    let both = ClaimsMapping {
        player_required: false,
        ..players.clone()
    };
    assert_eq!(verify(&nobody, both).map(|token| token.player), Ok(None));
    let servers = ClaimsMapping {
        player: None,
        ..players.clone()
    };
    assert_eq!(verify(&claims(), servers).map(|token| token.player), Ok(None));
    for bad in [json!(""), json!("a\nb"), json!(7), json!("x".repeat(129))] {
        let claims = claims_with(&json!({"sub": bad}));
        assert_eq!(
            verify(&claims, players.clone()),
            Err(TokenProblem::InvalidClaim("sub".into()))
        );
    }
}

#[test]
fn scopes_are_text_or_a_list_and_bounded_by_what_the_issuer_may_grant() {
    let (read, write) = (Scopes::READ, Scopes::WRITE);
    let of = |changes: Value| {
        let mapping = ClaimsMapping {
            default_scopes: read,
            ..ClaimsMapping::players_of(tenant())
        };
        verify(&claims_with(&changes), mapping).map(|token| token.scopes)
    };
    let both = read.with(write);
    assert_eq!(of(json!({"scope": "scores:read admin scores:write"})), Ok(both));
    assert_eq!(
        of(json!({"scope": null, "scp": ["scores:write", "x"]})),
        Ok(write)
    );
    assert_eq!(
        of(json!({"scope": null, "scopes": ["scores:read", "scores:write"]})),
        Ok(both)
    );
    assert_eq!(of(json!({"scope": null})), Ok(read));
    assert_eq!(of(json!({"scope": ""})), Ok(Scopes::NONE));
    assert_eq!(
        of(json!({"scope": 1})),
        Err(TokenProblem::InvalidClaim("scope".into()))
    );
    assert_eq!(
        of(json!({"scope": null, "scp": ["scores:read", 1]})),
        Err(TokenProblem::InvalidClaim("scp".into()))
    );
}

#[test]
fn default_scopes_are_no_more_than_the_issuer_may_grant() {
    let of = |default_scopes, granted_scopes| {
        let mapping = ClaimsMapping {
            default_scopes,
            granted_scopes,
            ..ClaimsMapping::players_of(tenant())
        };
        verify(&claims_with(&json!({"scope": null})), mapping).map(|token| token.scopes)
    };
    let (read, write) = (Scopes::READ, Scopes::WRITE);
    assert_eq!(of(Scopes::ADMIN, read), Ok(read));
    assert_eq!(of(read.with(write), write), Ok(write));
    assert_eq!(of(read, read.with(write)), Ok(read));
    assert_eq!(of(read, write), Ok(Scopes::NONE));
}

#[test]
fn the_type_is_an_access_token_or_not_told() {
    for (typ, good) in [
        ("JWT", true),
        ("at+jwt", true),
        ("application/AT+JWT", true),
        ("player+jwt", false),
        ("dpop+jwt", false),
        ("", false),
    ] {
        let header = json!({"alg": "HS256", "kid": "k", "typ": typ}).to_string();
        let token = hs256_text(&header, &claims().to_string());
        let outcome = verifier().verify_text(&token, &secret_keys(), now()).map(|_| ());
        let expected = if good {
            Ok(())
        } else {
            Err(TokenProblem::WrongType)
        };
        assert_eq!(outcome, expected, "{typ}");
    }
}

#[test]
fn the_key_of_a_token_means_something_in_this_services_own_alone() {
    let claims = claims_with(&json!({"key": "x", "net": "y"}));
    let found = verify(&claims, ClaimsMapping::players_of(tenant()));
    assert_eq!(found.map(|token| token.binding), Ok(None));
    let no_text = verify(
        &claims_with(&json!({"key": 7})),
        ClaimsMapping::players_of(tenant()),
    );
    assert_eq!(
        no_text.map(|token| token.binding),
        Err(TokenProblem::InvalidClaim("key".into()))
    );
    let own = || ClaimsMapping {
        bound_to_keys: true,
        ..ClaimsMapping::players_of(tenant())
    };
    for (claims, bad) in [
        (json!({"key": "x"}), "key"),
        (json!({"key": "0123456789abcdef", "net": "10.0.0.0/8"}), "net"),
        (json!({"key": "0123456789abcdef", "net": ["10.0.0.0/99"]}), "net"),
    ] {
        let refused = verify(&claims_with(&claims), own()).map(|token| token.binding);
        assert_eq!(refused, Err(TokenProblem::InvalidClaim(bad.into())), "{claims}");
    }
}
