//! Configurations of leaderboards, and what a change of one expects to find.

use crate::{Leaderboard, LeaderboardId, PeriodId, StoreError, TenantId, Timestamp, Versioned};

/// Which version a change expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any, or none.
    Any,
    /// No document yet.
    Absent,
    /// This one.
    Version(u64),
}

/// A configuration on its way into the store.
#[derive(Debug, Clone)]
pub struct PutLeaderboard<'a> {
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// The new configuration, checked.
    pub leaderboard: &'a Leaderboard,
    /// What must be there now.
    pub expected: Expected,
    /// The period that holds `at`, by the new schedule.
    pub current: &'a PeriodId,
    /// Whether entries of the current period may be put into a new order.
    pub rebuild: bool,
    /// When the periods that exist expire under the new configuration; those not named stay as they are.
    pub expiries: &'a [(PeriodId, Option<Timestamp>)],
    /// The most leaderboards the tenant may have; a put that would create one more is refused.
    pub max_leaderboards: Option<u64>,
    /// When it happens: the instant of its event.
    pub at: Timestamp,
}

/// Why a configuration was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutRefusal {
    /// Another version is there (`None`: no document).
    VersionMismatch {
        /// The current version.
        current: Option<u64>,
    },
    /// The order of the current period's entries would change, and no rebuild was asked for.
    HasEntries,
    /// The current period has more than [`super::MAX_REBUILD_ENTRIES`].
    TooManyEntries,
    /// The tenant has [`PutLeaderboard::max_leaderboards`] already.
    TooManyLeaderboards,
}

/// Another version of a document is there than was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionMismatch {
    /// The current version; `None`: no document.
    pub current: Option<u64>,
}

impl From<VersionMismatch> for PutRefusal {
    fn from(mismatch: VersionMismatch) -> Self {
        Self::VersionMismatch {
            current: mismatch.current,
        }
    }
}

impl Expected {
    /// Holds the version that is there (`None`: no document) against what was expected.
    ///
    /// # Errors
    /// [`VersionMismatch`].
    pub fn check(self, current: Option<u64>) -> Result<(), VersionMismatch> {
        let met = match self {
            Self::Any => true,
            Self::Absent => current.is_none(),
            Self::Version(version) => current == Some(version),
        };
        if met {
            Ok(())
        } else {
            Err(VersionMismatch { current })
        }
    }
}

/// Leaderboards' configurations. They are not plain documents: a change is atomic with its event and with
/// the check that no entry is left in the wrong order.
pub trait Leaderboards {
    /// The current configuration.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError>;

    /// Creates or replaces. Gives the new version and whether it was created. An unchanged configuration
    /// keeps its version and appends no event.
    ///
    /// A rebuild matches columns by name; a new column is 0 for entries that were made without it. Periods
    /// other than the current one keep the layout they have, and refuse late scores if it differs.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is an inner result.
    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError>;

    /// Up to `limit` configurations in byte order of their ids, after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError>;

    /// Deletes the configuration and all data of the leaderboard, its log and its ids included. Whether
    /// there was one.
    ///
    /// # Errors
    /// [`StoreError`]; a version mismatch is an inner result.
    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError>;
}
