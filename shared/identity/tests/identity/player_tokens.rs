//! Tests of the tokens that this service signs for players.

use leaderboard_core::access::Scopes;
use leaderboard_core::{PlayerId, TenantId, Timestamp};
use leaderboard_identity::api_key::KeyId;
use leaderboard_identity::player_token::{Grant, IssueProblem, MAX_LIFETIME_S, PlayerTokenKey, own_verifier};
use leaderboard_identity::token::{KeyBinding, PresentedToken, TokenProblem};

use crate::given::{NOW_S, at, create_verifier, now};

/// The secret from which the signing key is derived.
const SECRET: &str = "an operator's secret, the same in every region";

fn create_key() -> PlayerTokenKey {
    PlayerTokenKey::from_secret(SECRET).unwrap()
}

/// Issues a token with these scopes and this lifetime to a player.
fn issue_token(key: &PlayerTokenKey, scopes: Scopes, lifetime_s: u32) -> Result<String, IssueProblem> {
    let (player, tenant) = (PlayerId::new("José").unwrap(), TenantId::new("acme").unwrap());
    let grant = Grant {
        player: &player,
        tenant: &tenant,
        scopes,
        lifetime_s,
        binding: None,
    };
    key.issue(&grant, now(), &[0xab; 32])
}

#[test]
fn a_token_is_valid_in_every_region_that_has_the_secret() {
    let scopes = Scopes::WRITE;
    let token = issue_token(&create_key(), scopes, 600).unwrap();
    let (verifier, keys) = own_verifier(&[create_key()]).unwrap();
    let found = verifier.verify_text(&token, &keys, at(NOW_S + 600)).unwrap();
    assert_eq!(found.player.unwrap().as_str(), "José");
    assert_eq!(found.tenant.as_str(), "acme");
    assert_eq!(found.scopes, scopes);
    assert_eq!(
        found.token_id.as_deref(),
        Some("abababababababababababababababab")
    );
    assert_eq!(found.expires_at, at(NOW_S + 600));
    let late = verifier.verify_text(&token, &keys, at(NOW_S + 660));
    assert_eq!(late, Err(TokenProblem::Expired));
}

#[test]
fn a_token_contains_its_api_key_and_its_allowed_addresses() {
    let binding = KeyBinding {
        key: KeyId::parse("0123456789abcdef").unwrap(),
        key_made_at: Timestamp::from_unix_ms(1_784_495_040_007),
        addresses: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
    };
    let (player, tenant) = (PlayerId::new("p").unwrap(), TenantId::new("acme").unwrap());
    let grant = Grant {
        player: &player,
        tenant: &tenant,
        scopes: Scopes::NONE,
        lifetime_s: 600,
        binding: Some(&binding),
    };
    let token = create_key().issue(&grant, now(), &[0xab; 32]).unwrap();
    let (own, keys) = own_verifier(&[create_key()]).unwrap();
    let found = own.verify_text(&token, &keys, now()).unwrap();
    assert_eq!((found.binding, found.issued_at), (Some(binding), Some(now())));
    let unbound = issue_token(&create_key(), Scopes::NONE, 600).unwrap();
    assert_eq!(own.verify_text(&unbound, &keys, now()).unwrap().binding, None);
}

#[test]
fn tokens_of_the_previous_key_are_valid_while_the_key_is_known() {
    let old = PlayerTokenKey::from_secret("the secret before, which is leaving").unwrap();
    let token = issue_token(&old, Scopes::NONE, 600).unwrap();
    let (verifier, keys) = own_verifier(&[create_key(), old]).unwrap();
    assert!(verifier.verify_text(&token, &keys, now()).is_ok());
    let (verifier, keys) = own_verifier(&[create_key()]).unwrap();
    assert!(matches!(
        verifier.verify_text(&token, &keys, now()),
        Err(TokenProblem::UnknownKey { .. })
    ));
}

#[test]
fn verifiers_of_other_issuers_refuse_a_player_token() {
    let token = issue_token(&create_key(), Scopes::NONE, 600).unwrap();
    let (_, keys) = own_verifier(&[create_key()]).unwrap();
    let presented = PresentedToken::parse(&token).unwrap();
    assert_eq!(presented.claimed_issuer().as_deref(), Some("edgeboard"));
    assert_eq!(
        create_verifier().verify(&presented, &keys, now()),
        Err(TokenProblem::WrongType)
    );
}

#[test]
fn the_admin_scope_and_invalid_lifetimes_are_refused() {
    assert_eq!(
        issue_token(&create_key(), Scopes::ADMIN, 600),
        Err(IssueProblem::Scope)
    );
    assert_eq!(
        issue_token(&create_key(), Scopes::NONE, 0),
        Err(IssueProblem::Lifetime)
    );
    assert_eq!(
        issue_token(&create_key(), Scopes::NONE, MAX_LIFETIME_S + 1),
        Err(IssueProblem::Lifetime)
    );
    assert!(issue_token(&create_key(), Scopes::NONE, MAX_LIFETIME_S).is_ok());
}

#[test]
fn a_short_secret_is_refused_and_debug_output_hides_the_key() {
    assert!(PlayerTokenKey::from_secret("").is_none());
    assert!(PlayerTokenKey::from_secret(&"x".repeat(31)).is_none());
    let shown = format!("{:?}", create_key());
    assert!(
        shown.starts_with("PlayerTokenKey { kid: ") && !shown.contains("SigningKey"),
        "{shown}"
    );
}
