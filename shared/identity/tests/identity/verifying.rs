//! Tests of valid tokens, and of the meaning of their claims.

use jwt_compact::alg::Ed25519;
use leaderboard_core::access::Scopes;
use leaderboard_core::{PlayerId, TenantId};
use leaderboard_identity::token::{ClaimsMapping, PresentedToken, TenantSource, TokenProblem, VerifiedToken};
use serde_json::{Value, json};

use crate::given::{
    NOW_S, at, create_claims, create_claims_with, create_public_tokens, create_verifier,
    create_verifier_with, ed25519_signing_key, now, public_keys, secret_keys, sign, sign_hs256,
    sign_hs256_text, tenant,
};

/// Signs claims with the shared secret, and verifies the token with `mapping`.
fn verify_claims(claims: &Value, mapping: ClaimsMapping) -> Result<VerifiedToken, TokenProblem> {
    create_verifier_with(mapping).verify_text(&sign_hs256(claims), &secret_keys(), now())
}

#[test]
fn every_algorithm_verifies_with_the_same_result() {
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
        create_verifier().verify_text(&sign_hs256(&create_claims()), &secret_keys(), now()),
        Ok(expected.clone())
    );
    for token in create_public_tokens(&create_claims()) {
        assert_eq!(
            create_verifier().verify_text(&token, &public_keys(), now()),
            Ok(expected.clone())
        );
    }
}

#[test]
fn the_algorithm_name_ed25519_is_accepted() {
    let header = r#"{"alg":"Ed25519","kid":"ed"}"#;
    let algorithm = Ed25519::with_specific_name();
    let token = sign(
        &algorithm,
        &ed25519_signing_key(),
        header,
        &create_claims().to_string(),
    );
    assert!(
        create_verifier()
            .verify_text(&token, &public_keys(), now())
            .is_ok()
    );
}

#[test]
fn a_token_without_a_kid_is_tried_with_the_keys_of_its_algorithm() {
    let token = sign(
        &Ed25519,
        &ed25519_signing_key(),
        r#"{"alg":"EdDSA"}"#,
        &create_claims().to_string(),
    );
    assert!(
        create_verifier()
            .verify_text(&token, &public_keys(), now())
            .is_ok()
    );
}

#[test]
fn the_claimed_issuer_can_be_read_before_verification() {
    let token = sign_hs256(&create_claims());
    let presented = PresentedToken::parse(&token).unwrap();
    assert_eq!(presented.key_id(), Some("k"));
    assert_eq!(presented.claimed_issuer().as_deref(), Some("https://id.example"));
    let token = sign_hs256(&json!({"iss": 1}));
    assert_eq!(PresentedToken::parse(&token).unwrap().claimed_issuer(), None);
}

#[test]
fn one_of_several_audiences_must_match() {
    let mapping = || ClaimsMapping::players_of(tenant());
    let many = create_claims_with(&json!({"aud": ["other", "scores"]}));
    assert!(verify_claims(&many, mapping()).is_ok());
    for aud in [
        json!(["other"]),
        json!([]),
        json!("scores2"),
        json!(1),
        Value::Null,
    ] {
        let other = create_claims_with(&json!({"aud": aud}));
        assert_eq!(verify_claims(&other, mapping()), Err(TokenProblem::WrongAudience));
    }
}

#[test]
fn the_tenant_can_come_from_a_claim() {
    let mapping = ClaimsMapping {
        tenant: TenantSource::Claim("https://example.com/org".into()),
        ..ClaimsMapping::players_of(tenant())
    };
    let read_tenant = |value: Value| {
        let claims = create_claims_with(&json!({"https://example.com/org": value}));
        verify_claims(&claims, mapping.clone()).map(|token| token.tenant)
    };
    let name = || Box::from("https://example.com/org");
    assert_eq!(read_tenant(json!("other")), Ok(TenantId::new("other").unwrap()));
    assert_eq!(read_tenant(Value::Null), Err(TokenProblem::MissingClaim(name())));
    assert_eq!(
        read_tenant(json!("Other:1")),
        Err(TokenProblem::InvalidClaim(name()))
    );
    assert_eq!(
        read_tenant(json!(["other"])),
        Err(TokenProblem::InvalidClaim(name()))
    );
}

#[test]
fn a_token_without_a_player_belongs_to_a_server_only_if_configured() {
    let players = ClaimsMapping::players_of(tenant());
    let nobody = create_claims_with(&json!({"sub": null}));
    assert_eq!(
        verify_claims(&nobody, players.clone()),
        Err(TokenProblem::MissingClaim("sub".into()))
    );
    let both = ClaimsMapping {
        player_required: false,
        ..players.clone()
    };
    assert_eq!(verify_claims(&nobody, both).map(|token| token.player), Ok(None));
    let servers = ClaimsMapping {
        player: None,
        ..players.clone()
    };
    assert_eq!(
        verify_claims(&create_claims(), servers).map(|token| token.player),
        Ok(None)
    );
    for bad in [json!(""), json!("a\nb"), json!(7), json!("x".repeat(129))] {
        let claims = create_claims_with(&json!({"sub": bad}));
        assert_eq!(
            verify_claims(&claims, players.clone()),
            Err(TokenProblem::InvalidClaim("sub".into()))
        );
    }
}

#[test]
fn scopes_are_a_text_or_a_list_limited_to_the_granted_scopes() {
    let (read, write) = (Scopes::READ, Scopes::WRITE);
    let read_scopes = |changes: Value| {
        let mapping = ClaimsMapping {
            default_scopes: read,
            ..ClaimsMapping::players_of(tenant())
        };
        verify_claims(&create_claims_with(&changes), mapping).map(|token| token.scopes)
    };
    let both = read.with(write);
    assert_eq!(
        read_scopes(json!({"scope": "scores:read admin scores:write"})),
        Ok(both)
    );
    assert_eq!(
        read_scopes(json!({"scope": null, "scp": ["scores:write", "x"]})),
        Ok(write)
    );
    assert_eq!(
        read_scopes(json!({"scope": null, "scopes": ["scores:read", "scores:write"]})),
        Ok(both)
    );
    assert_eq!(read_scopes(json!({"scope": null})), Ok(read));
    assert_eq!(read_scopes(json!({"scope": ""})), Ok(Scopes::NONE));
    assert_eq!(
        read_scopes(json!({"scope": 1})),
        Err(TokenProblem::InvalidClaim("scope".into()))
    );
    assert_eq!(
        read_scopes(json!({"scope": null, "scp": ["scores:read", 1]})),
        Err(TokenProblem::InvalidClaim("scp".into()))
    );
}

#[test]
fn default_scopes_are_limited_to_the_granted_scopes() {
    let read_scopes = |default_scopes, granted_scopes| {
        let mapping = ClaimsMapping {
            default_scopes,
            granted_scopes,
            ..ClaimsMapping::players_of(tenant())
        };
        verify_claims(&create_claims_with(&json!({"scope": null})), mapping).map(|token| token.scopes)
    };
    let (read, write) = (Scopes::READ, Scopes::WRITE);
    assert_eq!(read_scopes(Scopes::ADMIN, read), Ok(read));
    assert_eq!(read_scopes(read.with(write), write), Ok(write));
    assert_eq!(read_scopes(read, read.with(write)), Ok(read));
    assert_eq!(read_scopes(read, write), Ok(Scopes::NONE));
}

#[test]
fn only_the_types_of_access_tokens_are_accepted() {
    for (typ, good) in [
        ("JWT", true),
        ("at+jwt", true),
        ("application/AT+JWT", true),
        ("player+jwt", false),
        ("dpop+jwt", false),
        ("", false),
    ] {
        let header = json!({"alg": "HS256", "kid": "k", "typ": typ}).to_string();
        let token = sign_hs256_text(&header, &create_claims().to_string());
        let outcome = create_verifier()
            .verify_text(&token, &secret_keys(), now())
            .map(|_| ());
        let expected = if good {
            Ok(())
        } else {
            Err(TokenProblem::WrongType)
        };
        assert_eq!(outcome, expected, "{typ}");
    }
}

#[test]
fn the_key_binding_is_read_only_from_tokens_of_this_service() {
    let claims = create_claims_with(&json!({"key": "x", "net": "y"}));
    let found = verify_claims(&claims, ClaimsMapping::players_of(tenant()));
    assert_eq!(found.map(|token| token.binding), Ok(None));
    let no_text = verify_claims(
        &create_claims_with(&json!({"key": 7})),
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
        let refused = verify_claims(&create_claims_with(&claims), own()).map(|token| token.binding);
        assert_eq!(refused, Err(TokenProblem::InvalidClaim(bad.into())), "{claims}");
    }
}
