//! Tokens that the service issues itself.

use leaderboard_core::access::Scopes;
use leaderboard_core::{PlayerId, TenantId, Timestamp};
use leaderboard_identity::api_key::KeyId;
use leaderboard_identity::player_token::{Grant, IssueProblem, MAX_LIFETIME_S, PlayerTokenKey, own_verifier};
use leaderboard_identity::token::{KeyBinding, PresentedToken, TokenProblem};

use crate::given::{NOW_S, at, now, verifier};

const SECRET: &str = "an operator's secret, the same in every region";

fn key() -> PlayerTokenKey {
    PlayerTokenKey::from_secret(SECRET).unwrap()
}

fn issue(key: &PlayerTokenKey, scopes: Scopes, lifetime_s: u32) -> Result<String, IssueProblem> {
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
    let token = issue(&key(), scopes, 600).unwrap();
    let (verifier, keys) = own_verifier(&[key()]).unwrap();
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
fn a_token_says_by_which_key_it_was_issued_and_from_where_it_is_good() {
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
    let token = key().issue(&grant, now(), &[0xab; 32]).unwrap();
    let (own, keys) = own_verifier(&[key()]).unwrap();
    let found = own.verify_text(&token, &keys, now()).unwrap();
    assert_eq!((found.binding, found.issued_at), (Some(binding), Some(now())));
    let unbound = issue(&key(), Scopes::NONE, 600).unwrap();
    assert_eq!(own.verify_text(&unbound, &keys, now()).unwrap().binding, None);
}

#[test]
fn the_key_before_is_good_while_it_is_known() {
    let old = PlayerTokenKey::from_secret("the secret before, which is leaving").unwrap();
    let token = issue(&old, Scopes::NONE, 600).unwrap();
    let (verifier, keys) = own_verifier(&[key(), old]).unwrap();
    assert!(verifier.verify_text(&token, &keys, now()).is_ok());
    let (verifier, keys) = own_verifier(&[key()]).unwrap();
    assert!(matches!(
        verifier.verify_text(&token, &keys, now()),
        Err(TokenProblem::UnknownKey { .. })
    ));
}

#[test]
fn other_verifiers_do_not_take_it_for_one_of_theirs() {
    let token = issue(&key(), Scopes::NONE, 600).unwrap();
    let (_, keys) = own_verifier(&[key()]).unwrap();
    let presented = PresentedToken::parse(&token).unwrap();
    assert_eq!(presented.claimed_issuer().as_deref(), Some("edgeboard"));
    assert_eq!(
        verifier().verify(&presented, &keys, now()),
        Err(TokenProblem::WrongType)
    );
}

#[test]
fn what_a_players_token_may_not_have_is_refused() {
    assert_eq!(issue(&key(), Scopes::ADMIN, 600), Err(IssueProblem::Scope));
    assert_eq!(issue(&key(), Scopes::NONE, 0), Err(IssueProblem::Lifetime));
    assert_eq!(
        issue(&key(), Scopes::NONE, MAX_LIFETIME_S + 1),
        Err(IssueProblem::Lifetime)
    );
    assert!(issue(&key(), Scopes::NONE, MAX_LIFETIME_S).is_ok());
}

#[test]
fn a_short_secret_makes_no_key_and_a_key_shows_nothing() {
    assert!(PlayerTokenKey::from_secret("").is_none());
    assert!(PlayerTokenKey::from_secret(&"x".repeat(31)).is_none());
    let shown = format!("{:?}", key());
    assert!(
        shown.starts_with("PlayerTokenKey { kid: ") && !shown.contains("SigningKey"),
        "{shown}"
    );
}
