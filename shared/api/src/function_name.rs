//! The functions that serve the API.

/// A function that serves routes. Rate limits and metrics are kept for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionName {
    /// Configurations of leaderboards.
    Leaderboards,
    /// Submissions, bans and dead letters.
    Scores,
    /// Entries and their ranks.
    Ranks,
    /// Live updates.
    Live,
    /// Rate limits.
    Limits,
    /// Tenants, their usage, the audit log.
    Tenants,
    /// Keys, issuers, tokens.
    Identity,
    /// Feature flags.
    Flags,
    /// Webhooks and their deliveries.
    Webhooks,
    /// Health and metrics.
    Ops,
}

impl FunctionName {
    /// Returns the name of the function's component in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leaderboards => "leaderboards",
            Self::Scores => "scores",
            Self::Ranks => "ranks",
            Self::Live => "live",
            Self::Limits => "limits",
            Self::Tenants => "tenants",
            Self::Identity => "identity",
            Self::Flags => "flags",
            Self::Webhooks => "webhooks",
            Self::Ops => "ops",
        }
    }

    /// All functions.
    pub const ALL: [Self; 10] = [
        Self::Leaderboards,
        Self::Scores,
        Self::Ranks,
        Self::Live,
        Self::Limits,
        Self::Tenants,
        Self::Identity,
        Self::Flags,
        Self::Webhooks,
        Self::Ops,
    ];
}
