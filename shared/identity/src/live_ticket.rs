//! Tickets for streams of live updates. A browser's `EventSource` cannot send a header with a token, so the address of a stream can
//! have a ticket, which is useless for any other request.
//!
//! The key is derived from the secret of player tokens, with a context of its own. So a ticket is no valid token, and a token is no
//! valid ticket.

use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, UntrustedToken};
use leaderboard_core::{LeaderboardId, PlayerId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::player_token::MIN_SEED_BYTES;

/// How long a stream can be opened with a ticket, in seconds. An address can be in the log of a proxy, so the time is short.
pub const TICKET_LIFETIME_S: u32 = 60;
/// The longest ticket, in bytes: a leaderboard, a tenant and a player of the greatest length, with their escapes.
pub const MAX_TICKET_BYTES: usize = 4096;

/// The claim `aud` of tickets.
const AUDIENCE: &str = "edgeboard-live";
const KEY_CONTEXT: &[u8] = b"edgeboard live ticket key 1\0";

/// What a ticket allows: to open a stream of one leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTicket {
    /// The tenant of the leaderboard.
    pub tenant: TenantId,
    /// The leaderboard.
    pub leaderboard: LeaderboardId,
    /// The player whose rank the stream shows.
    pub player: Option<PlayerId>,
    /// Whether the stream shows what this player sees. Otherwise it shows what all readers see.
    pub is_players_own: bool,
}

/// Why a ticket is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketProblem {
    /// The text is no ticket of this service.
    #[error("is no ticket of this service")]
    Invalid,
    /// The ticket has expired.
    #[error("has expired: get a new one")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct TicketClaims {
    aud: String,
    tenant: String,
    leaderboard: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    own: bool,
    /// The first second at which the ticket is not valid any more. The library removes the claim `exp` from the claims that it passes
    /// on, so the name differs.
    until: i64,
}

/// The key that signs and verifies tickets.
#[derive(Clone)]
pub struct LiveTicketKey(Hs256Key);

impl LiveTicketKey {
    /// Derives the key from the secret of player tokens; `None` if the secret is shorter than [`MIN_SEED_BYTES`].
    #[must_use]
    pub fn from_secret(secret: &str) -> Option<Self> {
        (secret.len() >= MIN_SEED_BYTES).then(|| {
            let key = Sha256::new_with_prefix(KEY_CONTEXT)
                .chain_update(secret)
                .finalize();
            Self(Hs256Key::new(key))
        })
    }

    /// Signs a ticket that is valid for [`TICKET_LIFETIME_S`]. Returns `None` if it cannot be encoded, which no input of a caller causes.
    #[must_use]
    pub fn issue(&self, ticket: &LiveTicket, now: Timestamp) -> Option<String> {
        let claims = TicketClaims {
            aud: AUDIENCE.to_owned(),
            tenant: ticket.tenant.as_str().to_owned(),
            leaderboard: ticket.leaderboard.as_str().to_owned(),
            sub: ticket.player.as_ref().map(|player| player.as_str().to_owned()),
            own: ticket.is_players_own,
            until: seconds(now).saturating_add(TICKET_LIFETIME_S.into()),
        };
        Hs256.token(&Header::empty(), &Claims::new(claims), &self.0).ok()
    }

    /// Verifies a ticket.
    ///
    /// # Errors
    /// [`TicketProblem`].
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<LiveTicket, TicketProblem> {
        let invalid = TicketProblem::Invalid;
        if text.len() > MAX_TICKET_BYTES {
            return Err(invalid);
        }
        let untrusted = UntrustedToken::new(text).map_err(|_| invalid)?;
        let validator = Hs256.validator::<TicketClaims>(&self.0);
        let token = validator.validate(&untrusted).map_err(|_| invalid)?;
        let claims = &token.claims().custom;
        if claims.aud != AUDIENCE {
            return Err(invalid);
        }
        if claims.until <= seconds(now) {
            return Err(TicketProblem::Expired);
        }
        let player = claims.sub.as_deref().map(PlayerId::new).transpose();
        Ok(LiveTicket {
            tenant: TenantId::new(claims.tenant.as_str()).map_err(|_| invalid)?,
            leaderboard: LeaderboardId::new(claims.leaderboard.as_str()).map_err(|_| invalid)?,
            player: player.map_err(|_| invalid)?,
            is_players_own: claims.own,
        })
    }
}

/// Prints that there is a key, but not the key.
impl std::fmt::Debug for LiveTicketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LiveTicketKey")
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.as_unix_ms().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use leaderboard_core::access::Scopes;

    use super::*;
    use crate::player_token::{Grant, PlayerTokenKey};

    const SECRET: &str = "a secret that signs players' tokens in tests alone";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000).unwrap()
    }

    fn ticket() -> LiveTicket {
        LiveTicket {
            tenant: TenantId::new("acme").unwrap(),
            leaderboard: LeaderboardId::new("goals").unwrap(),
            player: Some(PlayerId::new("ann").unwrap()),
            is_players_own: true,
        }
    }

    #[test]
    fn a_ticket_is_valid_for_a_minute_and_only_with_its_key() {
        let key = LiveTicketKey::from_secret(SECRET).unwrap();
        let text = key.issue(&ticket(), at(1000)).unwrap();
        assert_eq!(key.verify(&text, at(1000)), Ok(ticket()));
        assert_eq!(key.verify(&text, at(1059)), Ok(ticket()));
        assert_eq!(key.verify(&text, at(1060)), Err(TicketProblem::Expired));
        let other = LiveTicketKey::from_secret(&SECRET.to_uppercase()).unwrap();
        assert_eq!(other.verify(&text, at(1000)), Err(TicketProblem::Invalid));
        for bad in ["", "a.b.c", &text[1..], &format!("{text}A")] {
            assert_eq!(key.verify(bad, at(1000)), Err(TicketProblem::Invalid), "{bad}");
        }
    }

    #[test]
    fn a_ticket_of_no_player_has_none() {
        let key = LiveTicketKey::from_secret(SECRET).unwrap();
        let ticket = LiveTicket {
            player: None,
            is_players_own: false,
            ..ticket()
        };
        let text = key.issue(&ticket, at(0)).unwrap();
        assert_eq!(key.verify(&text, at(0)), Ok(ticket));
    }

    #[test]
    fn a_token_of_a_player_is_no_ticket() {
        let (player, tenant) = (PlayerId::new("ann").unwrap(), TenantId::new("acme").unwrap());
        let grant = Grant {
            player: &player,
            tenant: &tenant,
            scopes: Scopes::READ,
            lifetime_s: 60,
            binding: None,
        };
        let tokens = PlayerTokenKey::from_secret(SECRET).unwrap();
        let token = tokens.issue(&grant, at(1000), &[7; 32]).unwrap();
        let key = LiveTicketKey::from_secret(SECRET).unwrap();
        assert_eq!(key.verify(&token, at(1000)), Err(TicketProblem::Invalid));
    }
}
