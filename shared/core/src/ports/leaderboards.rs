//! Configurations of leaderboards, and what a change of one expects to find.

use crate::{Leaderboard, LeaderboardId, PeriodId, StoreError, TenantId, Timestamp, Versioned};

/// The most configurations that one call of [`Leaderboards::get_many`] reads.
pub const MAX_CONFIGURATIONS_READ: usize = 32;

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
    /// A step was done and more is left. The configuration is unchanged; the same call again goes on.
    Unfinished,
    /// The reset changed [`crate::MAX_SCHEDULE_CHANGES`] times within the periods that are kept. No store says so.
    TooManyScheduleChanges,
    /// A clock that is ahead has begun a period whose entries' order would change, and no rebuild was asked for. No store
    /// says so.
    EarlyEntries {
        /// That period.
        period: PeriodId,
    },
    /// A clock that is ahead has begun a period, which has more than [`super::MAX_REBUILD_ENTRIES`]. No store says so.
    TooManyEarlyEntries {
        /// That period.
        period: PeriodId,
    },
    /// A clock that is ahead has begun a period that the new schedule does not have: nobody would find its entries again. No
    /// store says so.
    EarlyPeriodLost {
        /// That period.
        period: PeriodId,
    },
    /// The configuration was stored all the same; a period that a clock ahead has begun did not get its order. No store says so.
    StoredUnordered {
        /// That period.
        period: PeriodId,
        /// Why it did not.
        why: Box<Self>,
    },
}

impl PutRefusal {
    /// Whether the configuration was stored all the same.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        matches!(self, Self::StoredUnordered { .. })
    }
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

    /// The current configurations of several leaderboards, in the order of `ids`: one command, however many there are.
    /// At most [`MAX_CONFIGURATIONS_READ`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError>;

    /// Creates or replaces. Gives the new version and whether it was created. An unchanged configuration
    /// keeps its version and appends no event, unless the current period has another order: then the call is
    /// treated like the change that should have ordered it.
    /// Versions come about as those of [`super::Documents`].
    ///
    /// A rebuild matches columns by name; a new column is 0 for entries that were made without it. Periods
    /// other than the current one keep the layout they have, and refuse late scores if it differs.
    ///
    /// A call puts up to [`super::REBUILD_STEP_ENTRIES`] entries into the new order. While more are left it answers
    /// [`PutRefusal::Unfinished`]: reads go on from the old order, scores for the period are refused with
    /// [`crate::RefusalReason::Rebuilding`], and removals and bans are done and make the rebuild begin again. A rebuild
    /// that nobody goes on with ends by itself: about [`super::REBUILD_LEASE_MS`] after its last step, scores are taken again.
    /// The answer that more is left comes after a pause about as long as the step, so that others get on.
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
    /// there was one. All of it is out of sight at once, and its id is free; what is too much for one call is deleted by
    /// [`Leaderboards::sweep`], and counts as held until then.
    ///
    /// # Errors
    /// [`StoreError`]; a version mismatch is an inner result.
    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError>;

    /// Deletes some of what deleted leaderboards of a tenant have left, at most [`super::SWEEP_STEP_ROWS`] rows or
    /// [`super::SWEEP_STEP_PERIODS`] periods. Whether more may be left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError>;
}
