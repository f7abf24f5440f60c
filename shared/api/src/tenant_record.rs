//! What the operator sets for a tenant: its state and quotas.

use leaderboard_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether a tenant may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// It may.
    #[default]
    Active,
    /// Every request with its credentials, or about its leaderboards, is refused.
    Suspended,
}

/// How much a tenant may have and use; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Leaderboards.
    pub leaderboards: Option<u64>,
    /// Entries in all leaderboards and periods.
    pub entries: Option<u64>,
    /// Requests in a day (UTC).
    pub requests_per_day: Option<u64>,
    /// What logs and idempotency records may weigh, in bytes; 1 GiB without it.
    pub log_bytes: Option<u64>,
}

/// What the logs and idempotency records of a tenant may weigh unless its record says otherwise, in bytes: 1 GiB.
pub const DEFAULT_LOG_BYTES: u64 = 1 << 30;

impl Quotas {
    /// What the tenant's logs and idempotency records may weigh, in bytes. There is always a bound: a log grows by every
    /// submission.
    #[must_use]
    pub fn max_log_bytes(&self) -> u64 {
        self.log_bytes.unwrap_or(DEFAULT_LOG_BYTES)
    }
}

/// What the operator has set for a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantRecord {
    /// Its name for people.
    pub title: String,
    /// Whether it may be used.
    pub state: TenantState,
    /// How much it may have and use.
    pub quotas: Quotas,
    /// Tokens that were issued before this instant are refused, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_not_before_ms: Option<i64>,
}

impl TenantRecord {
    /// Whether a token that was issued then is refused. One that does not say when it was issued may be an old one.
    pub fn revokes_tokens_of(&self, issued_at: Option<Timestamp>) -> bool {
        self.tokens_not_before_ms
            .is_some_and(|not_before| issued_at.is_none_or(|at| at.as_unix_ms() < not_before))
    }
}
