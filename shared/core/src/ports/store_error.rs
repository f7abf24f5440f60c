//! Errors of a port.

/// A port failed. The text is for the log, not for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The store is unreachable or did not answer in time.
    Unavailable(String),
    /// The store answers, and cannot serve this tenant at present: the tenant is being moved to another shard, or nobody who answers
    /// knows the tenant's shard.
    TenantUnavailable(String),
    /// The store has no memory for more data. The store wrote nothing; deletions still work.
    OutOfMemory(String),
    /// The store contains data that this program cannot read.
    Corrupt(String),
    /// The store refused the command, because of a bug or a wrong setup.
    Rejected(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(f, "store unavailable: {cause}"),
            Self::TenantUnavailable(cause) => write!(f, "tenant unavailable: {cause}"),
            Self::OutOfMemory(cause) => write!(f, "store out of memory: {cause}"),
            Self::Corrupt(cause) => write!(f, "store corrupt: {cause}"),
            Self::Rejected(cause) => write!(f, "store rejected the command: {cause}"),
        }
    }
}

impl std::error::Error for StoreError {}
