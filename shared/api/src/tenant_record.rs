//! What the operator sets for a tenant: its state and quotas.

use leaderboard_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether a tenant may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// The tenant may be used.
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
    /// The size limit of event logs and idempotency records, in bytes; `None` is the default, 1 GiB.
    pub log_bytes: Option<u64>,
}

/// The default size limit of a tenant's event logs and idempotency records, in bytes: 1 GiB.
pub const DEFAULT_LOG_BYTES: u64 = 1 << 30;

impl Quotas {
    /// Returns the size limit of the tenant's event logs and idempotency records, in bytes. Every tenant has a limit, because a log
    /// grows with every submission.
    #[must_use]
    pub fn max_log_bytes(&self) -> u64 {
        self.log_bytes.unwrap_or(DEFAULT_LOG_BYTES)
    }
}

/// The operator's settings for a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantRecord {
    /// The tenant's title for people.
    pub title: String,
    /// Whether the tenant may be used.
    pub state: TenantState,
    /// How much it may have and use.
    pub quotas: Quotas,
    /// Tokens that were issued before this instant are refused, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_not_before_ms: Option<i64>,
}

impl TenantRecord {
    /// Returns whether a token that was issued at that time is refused. A token without a time of issue is refused when the record
    /// revokes tokens, because it can be an old one.
    pub fn revokes_tokens_of(&self, issued_at: Option<Timestamp>) -> bool {
        self.tokens_not_before_ms
            .is_some_and(|not_before| issued_at.is_none_or(|at| at.as_unix_ms() < not_before))
    }
}
