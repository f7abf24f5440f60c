//! What a request is answered with: the stores, the clock, the settings. The composition root makes one for
//! each request; making it is cheap.

use std::rc::Rc;

use leaderboard_core::usecase::{LeaderboardMemory, Store};
use leaderboard_core::{TenantId, Timestamp, ports};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::credentials::PlayerTokens;
use crate::fetch::Fetch;
use crate::memory::Memory;
use crate::pipeline::{CdnKeyHeaders, CorsOrigins, TrustedProxies};
use crate::version::Deprecation;

/// The world around one request. A clone is another handle on the same world, for work that goes on after the
/// response.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait Environment: Clone + 'static {
    /// The store of record.
    type Store: Store
        + ports::Bans
        + ports::Events
        + ports::DeadLetters
        + ports::Readiness
        + ports::Documents
        + ports::RateLimits
        + ports::Counters
        + ports::AuditLog
        + ports::Announcements;
    /// The region's cache.
    type Cache: ports::Cache;
    /// The way out to other services.
    type Fetch: Fetch;

    /// The store of record.
    fn store(&self) -> &Self::Store;
    /// The region's cache, where it stands in front of a store that is elsewhere.
    fn cache(&self) -> Option<&Self::Cache>;
    /// The region's cache, whatever the store is: for what is costly to make, such as finished views.
    fn region(&self) -> &Self::Cache;
    /// The way out to other services.
    fn fetch(&self) -> &Self::Fetch;
    /// What this instance remembers beside configurations.
    fn memory(&self) -> &Memory;
    /// What this instance remembers of configurations.
    fn boards(&self) -> &LeaderboardMemory;
    /// The instant of the request. Called once for each request.
    fn now(&self) -> Timestamp;
    /// The clock, read again: for work that goes on after the response, and for how long something took.
    fn clock(&self) -> Timestamp;
    /// What the operator has set.
    fn settings(&self) -> &Settings;
    /// 16 random bytes, not all of them zero.
    fn new_trace_id(&self) -> [u8; 16];
    /// 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// When the host has no randomness: nothing may be made of guessable bytes.
    fn random(&self) -> Result<[u8; 32], leaderboard_core::StoreError>;
    /// Goes on with `work` after the response has gone out. The instance lives until it is done.
    fn later(&self, work: impl Future<Output = ()> + 'static);
    /// Waits. A request waits for another one by looking again after a pause (docs/decisions/0012).
    async fn pause(&self, milliseconds: u64);
}

/// What the operator has set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The operator's key: all rights in all tenants.
    pub admin_key: Secret,
    /// A key that shows metrics and allows nothing else; empty: there is none.
    pub metrics_key: Secret,
    /// The tenant of a request that names none.
    pub default_tenant: TenantId,
    /// What signs and verifies players' tokens of this service; `None`: it issues none.
    pub player_tokens: Option<Rc<PlayerTokens>>,
    /// The region's channel on which changed leaderboards are announced; `None`: nowhere.
    pub changes_channel: Option<Rc<str>>,
    /// The proxies whose word about a client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// The request header in which a proxy tells the client's country; `None`: nobody tells.
    pub country_header: Option<http::HeaderName>,
    /// That version 1 of the API is deprecated.
    pub deprecation: Option<Deprecation>,
    /// The origins whose scripts may read answers.
    pub cors_origins: CorsOrigins,
    /// The request headers that the CDN in front has in its cache key.
    pub cdn_key_headers: CdnKeyHeaders,
}

/// A secret that presented text can be compared with. It holds a digest, not the secret itself.
#[derive(Clone)]
pub struct Secret(Option<[u8; 32]>);

/// The shortest key that an operator may set, in bytes: what can be guessed is no key.
pub(crate) const MIN_KEY_BYTES: usize = 32;

impl Secret {
    /// Takes a key that the operator has set; an empty one is none, which nothing matches.
    ///
    /// # Errors
    /// When it is shorter than [`MIN_KEY_BYTES`]; in words for the operator.
    pub fn of_operator(key: &str) -> Result<Self, String> {
        if (1..MIN_KEY_BYTES).contains(&key.len()) {
            return Err(format!("must have at least {MIN_KEY_BYTES} bytes"));
        }
        Ok(Self::new(key))
    }

    /// Takes a secret. Nothing matches an empty one: a setting left empty must not open the door.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self((!secret.is_empty()).then(|| Sha256::digest(secret.as_bytes()).into()))
    }

    /// Whether `presented` is the secret, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        self.0.as_ref().is_some_and(|own| bool::from(own.ct_eq(&digest)))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_itself_alone_and_shows_nothing() {
        let secret = Secret::new("open sesame");
        assert!(secret.matches(b"open sesame"));
        assert!(!secret.matches(b"open sesame "));
        assert!(!secret.matches(b""));
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn a_key_of_the_operator_is_long_or_missing() {
        let long = "x".repeat(MIN_KEY_BYTES);
        assert!(Secret::of_operator(&long).unwrap().matches(long.as_bytes()));
        assert!(!Secret::of_operator("").unwrap().matches(b""));
        for short in ["x", &long[1..]] {
            let refused = Secret::of_operator(short).unwrap_err();
            assert_eq!(refused, "must have at least 32 bytes");
        }
    }

    #[test]
    fn nothing_matches_the_empty_secret() {
        assert!(!Secret::new("").matches(b""));
    }
}
