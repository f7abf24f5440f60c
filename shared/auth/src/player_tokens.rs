//! The keys of player tokens and of live tickets, which this service signs itself.

use leaderboard_core::Timestamp;
use leaderboard_identity::live_ticket::{LiveTicket, LiveTicketKey, TicketProblem};
use leaderboard_identity::player_token::{MIN_SEED_BYTES, PlayerTokenKey, own_verifier};
use leaderboard_identity::token::{KeySet, Verifier};

/// The key that signs player tokens, and the keys and rules that verify them.
#[derive(Debug, Clone)]
pub struct PlayerTokens {
    /// The key that signs new tokens.
    pub key: PlayerTokenKey,
    /// The rules for the claims of a player token.
    pub verifier: Verifier,
    /// The keys that verify tokens: the current one, and the previous one if it is configured.
    pub keys: KeySet,
    /// The keys of live tickets: the current one, and the previous one if it is configured.
    tickets: Vec<LiveTicketKey>,
}

impl PlayerTokens {
    /// Derives the keys from the operator's secret, and from the previous secret, whose tokens stay valid. Returns `None` for an
    /// empty secret: the service then issues no tokens.
    ///
    /// # Errors
    /// A text for the operator if a secret is too short.
    pub fn new(secret: &str, previous: &str) -> Result<Option<Self>, String> {
        if secret.is_empty() {
            return Ok(None);
        }
        let key = |secret: &str| {
            PlayerTokenKey::from_secret(secret)
                .ok_or_else(|| format!("must have at least {MIN_SEED_BYTES} bytes"))
        };
        let present = key(secret)?;
        let mut all = vec![present.clone()];
        if !previous.is_empty() {
            all.push(key(previous)?);
        }
        let secrets = [secret, previous].into_iter();
        let tickets = secrets.filter_map(LiveTicketKey::from_secret).collect();
        let (verifier, keys) = own_verifier(&all).map_err(|invalid| invalid.to_string())?;
        Ok(Some(Self {
            key: present,
            verifier,
            keys,
            tickets,
        }))
    }

    /// Signs a live ticket. Returns `None` if it cannot be encoded, which no input of a caller causes.
    pub fn issue_ticket(&self, ticket: &LiveTicket, now: Timestamp) -> Option<String> {
        self.tickets.first()?.issue(ticket, now)
    }

    /// Verifies a live ticket.
    ///
    /// # Errors
    /// [`TicketProblem`].
    pub fn verify_ticket(&self, text: &str, now: Timestamp) -> Result<LiveTicket, TicketProblem> {
        let mut problem = TicketProblem::Invalid;
        for key in &self.tickets {
            match key.verify(text, now) {
                Err(TicketProblem::Invalid) => {}
                Err(expired) => problem = expired,
                valid => return valid,
            }
        }
        Err(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_or_missing() {
        let long = "x".repeat(MIN_SEED_BYTES);
        assert!(PlayerTokens::new("", "").unwrap().is_none());
        assert!(PlayerTokens::new("", "y").unwrap().is_none());
        assert!(PlayerTokens::new("short", "").is_err());
        assert!(PlayerTokens::new(&long, "short").is_err());
        let tokens = PlayerTokens::new(&long, &"y".repeat(MIN_SEED_BYTES))
            .unwrap()
            .unwrap();
        assert_eq!(tokens.keys.len(), 2);
    }
}
