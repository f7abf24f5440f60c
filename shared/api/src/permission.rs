//! The permission that a route needs of its caller.

/// The permission that a route needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// No permission. The pipeline reads no credential and chooses no tenant.
    Open,
    /// The metrics key or the operator's key. The handler checks the key, because the metrics key permits only this.
    MetricsKey,
    /// The permission to read. The leaderboard's `access` decides whether a caller needs a credential.
    Read,
    /// The permission to read, with a credential.
    Identified,
    /// The permission to write scores.
    Write,
    /// The permission to write scores as a server. A player's token does not have it.
    ServerWrite,
    /// The permission to configure a tenant.
    Admin,
    /// The operator's key.
    Operator,
}

impl Permission {
    /// Returns whether the pipeline reads the credential and chooses the tenant.
    #[must_use]
    pub const fn requires_auth(self) -> bool {
        !matches!(self, Self::Open | Self::MetricsKey)
    }

    /// Returns whether this is the permission that only allows reading a tenant's data.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::Identified)
    }
}
