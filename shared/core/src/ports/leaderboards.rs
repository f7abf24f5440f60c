//! Configurations of leaderboards, and the version that a change expects.

use crate::{Leaderboard, LeaderboardId, PeriodId, StoreError, TenantId, Timestamp, Versioned};

/// The most entries of the current period that a change of order rebuilds. The period takes no scores during a rebuild, and a
/// larger rebuild would take many seconds.
pub const MAX_REBUILD_ENTRIES: u64 = 100_000;
/// The most entries that one call of a rebuild puts into the new order. The store does nothing else during the call.
pub const REBUILD_STEP_ENTRIES: u64 = 1_000;
/// How long after a step of a rebuild the period refuses scores, in milliseconds, if no further step follows.
pub const REBUILD_LEASE_MS: i64 = 2_000;
/// The most rows that one step of a sweep deletes, in a store of rows.
pub const SWEEP_STEP_ROWS: u64 = 1_000;
/// The most periods that one call deletes, in a store that deletes any period in constant time.
pub const SWEEP_STEP_PERIODS: u64 = 200;
/// The most configurations that one call of [`Leaderboards::get_many`] reads.
pub const MAX_CONFIGURATIONS_READ: usize = 32;

/// The version that a change expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any version, or no document.
    Any,
    /// No document.
    Absent,
    /// This version.
    Version(u64),
}

/// A configuration to store.
#[derive(Debug, Clone)]
pub struct PutLeaderboard<'a> {
    /// The tenant of the leaderboard.
    pub tenant: &'a TenantId,
    /// The new configuration; it has passed [`Leaderboard::check`].
    pub leaderboard: &'a Leaderboard,
    /// The version that must be current.
    pub expected: Expected,
    /// The period that contains `at` by the new schedule.
    pub current: &'a PeriodId,
    /// Whether entries of the current period may be put into a new order.
    pub rebuild: bool,
    /// When existing periods expire under the new configuration. Periods that are not listed keep their expiry.
    pub expiries: &'a [(PeriodId, Option<Timestamp>)],
    /// The most leaderboards that the tenant may have. A put that would exceed this number is refused.
    pub max_leaderboards: Option<u64>,
    /// The instant of the change, which its event gets.
    pub at: Timestamp,
}

/// Why a configuration was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutRefusal {
    /// Another version is current.
    VersionMismatch {
        /// The current version; `None` if the leaderboard does not exist.
        current: Option<u64>,
    },
    /// The order of the current period's entries would change, and the put does not allow a rebuild.
    HasEntries,
    /// The current period has more than [`super::MAX_REBUILD_ENTRIES`].
    TooManyEntries,
    /// The tenant already has [`PutLeaderboard::max_leaderboards`].
    TooManyLeaderboards,
    /// The call did one step of the work, and more steps are left. The configuration is unchanged. Repeating the call continues.
    Unfinished,
    /// The reset changed [`crate::MAX_SCHEDULE_CHANGES`] times within the kept periods. The use case returns this, never a store.
    TooManyScheduleChanges,
    /// A clock that is ahead began a period whose entries' order would change, and the put does not allow a rebuild. The use case
    /// returns this, never a store.
    EarlyEntries {
        /// That period.
        period: PeriodId,
    },
    /// A clock that is ahead began a period that has more than [`super::MAX_REBUILD_ENTRIES`]. The use case returns this, never a
    /// store.
    TooManyEarlyEntries {
        /// That period.
        period: PeriodId,
    },
    /// A clock that is ahead began a period that the new schedule does not have, so its entries would become unreachable. The use
    /// case returns this, never a store.
    EarlyPeriodLost {
        /// That period.
        period: PeriodId,
    },
    /// The configuration was stored, but a period that a clock ahead began did not get the new order. The use case returns this,
    /// never a store.
    StoredUnordered {
        /// That period.
        period: PeriodId,
        /// Why the period did not get the order.
        why: Box<Self>,
    },
}

impl PutRefusal {
    /// Returns whether the configuration was stored despite the refusal.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        matches!(self, Self::StoredUnordered { .. })
    }
}

/// The current version of a document is not the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionMismatch {
    /// The current version; `None` if there is no document.
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
    /// Compares the current version (`None` if there is no document) with the expectation.
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

/// The configurations of leaderboards. They are separate from [`super::Documents`] because a change is atomic with its event and
/// with the check that every entry has the right order.
pub trait Leaderboards {
    /// Returns the current configuration.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError>;

    /// Returns the current configurations of up to [`MAX_CONFIGURATIONS_READ`] leaderboards in the order of `ids`, with one
    /// command.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError>;

    /// Creates or replaces a configuration. Returns the new version and whether the leaderboard is new. Versions are numbered as
    /// in [`super::Documents`].
    ///
    /// An unchanged configuration keeps its version and appends no event, unless the current period has another order. Then the
    /// call acts like the change that should have set this order.
    ///
    /// A rebuild matches columns by name; entries made without a column get 0 in it. Periods other than the current one keep their
    /// layout, and refuse late scores if the layout differs.
    ///
    /// A call puts up to [`super::REBUILD_STEP_ENTRIES`] entries into the new order. While entries are left, it returns
    /// [`PutRefusal::Unfinished`], after a pause about as long as the step, so that the store can serve other calls. Between the
    /// steps, reads return the old order, scores for the period are refused with [`crate::RefusalReason::Rebuilding`], and a
    /// removal or a ban restarts the rebuild. A rebuild without further steps ends: about [`super::REBUILD_LEASE_MS`] after its
    /// last step, the period accepts scores again.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is an inner result.
    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError>;

    /// Returns up to `limit` configurations with ids after `after`, in byte order of the ids.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError>;

    /// Deletes a leaderboard: its configuration, entries, log and idempotency records. Returns whether it existed. The data is
    /// invisible at once, and the id can be used again. Data that is too much for one call is deleted by
    /// [`Leaderboards::sweep`], and counts against the tenant's quotas until then.
    ///
    /// # Errors
    /// [`StoreError`]; a version mismatch is an inner result.
    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError>;

    /// Deletes some of the remaining data of a tenant's deleted leaderboards: at most [`super::SWEEP_STEP_ROWS`] rows or
    /// [`super::SWEEP_STEP_PERIODS`] periods. Returns whether more may be left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError>;
}
