//! What a route needs of its caller.

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Nothing: no credential is looked at, no tenant is chosen.
    Open,
    /// Nothing of the pipeline: the handler looks for the metrics key, which allows nothing else, or the operator's.
    MetricsKey,
    /// To read; the leaderboard's `access` decides whether without a credential.
    Read,
    /// To read what is nobody's business without a credential.
    Identified,
    /// To write scores.
    Write,
    /// To write scores as a server: no player's own token.
    ServerWrite,
    /// To configure a tenant.
    Admin,
    /// To operate the installation: the operator's key alone.
    Operator,
}

impl Permission {
    /// Whether the pipeline looks at the credential, and chooses a tenant.
    #[must_use]
    pub const fn requires_auth(self) -> bool {
        !matches!(self, Self::Open | Self::MetricsKey)
    }

    /// Whether it is leave to read a tenant's data, and no more.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::Identified)
    }
}
