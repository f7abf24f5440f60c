//! Configurations of leaderboards, and the version that a change expects.

use crate::{Leaderboard, LeaderboardId, PeriodId, StoreError, TenantId, Timestamp, Versioned};

/// The most entries of the current period that a change of order rebuilds. The period accepts no scores during a rebuild, and a
/// rebuild of more entries would take many seconds.
pub const MAX_REBUILD_ENTRIES: u64 = 100_000;
/// The most entries that one call of a rebuild puts into the new order. The store does nothing else during the call.
pub const REBUILD_STEP_ENTRIES: u64 = 1_000;
/// How long the period refuses scores after a step of a rebuild if no further step follows, in milliseconds.
pub const REBUILD_LEASE_MS: i64 = 2_000;
/// The most rows that one call of [`Leaderboards::sweep`] deletes, in a store that deletes row by row.
pub const SWEEP_STEP_ROWS: u64 = 1_000;
/// The most periods that one call of [`Leaderboards::sweep`] deletes, in a store that deletes any period in constant time.
pub const SWEEP_STEP_PERIODS: u64 = 200;
/// The most configurations that one call of [`Leaderboards::get_many`] reads.
pub const MAX_CONFIGURATIONS_READ: usize = 32;

/// The version that a change expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// There is a document with any version, or no document.
    Any,
    /// There is no document.
    Absent,
    /// There is a document with this version.
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
    /// The period that contains `at` according to the new schedule.
    pub current: &'a PeriodId,
    /// Whether the store may put the entries of the current period into a new order.
    pub rebuild: bool,
    /// The period whose stored counts the store verifies and repairs after it has stored the configuration, if it counts entries in
    /// data of its own.
    pub verified: Option<&'a PeriodId>,
    /// When existing periods expire under the new configuration. A period that is not in the list keeps its expiry.
    pub expiries: &'a [(PeriodId, Option<Timestamp>)],
    /// The most leaderboards that the tenant may have. A put that would exceed this number is refused.
    pub max_leaderboards: Option<u64>,
    /// The instant of the change, which is also the instant of its event.
    pub at: Timestamp,
}

/// Why a configuration was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutRefusal {
    /// The current version is not the expected one.
    VersionMismatch {
        /// The current version; `None` if the leaderboard does not exist.
        current: Option<u64>,
    },
    /// The order of the current period's entries would change, and the put does not allow a rebuild.
    HasEntries,
    /// The current period has more than [`super::MAX_REBUILD_ENTRIES`] entries.
    TooManyEntries,
    /// The tenant already has [`PutLeaderboard::max_leaderboards`] leaderboards.
    TooManyLeaderboards,
    /// An import of a leaderboard with this id is under way ([`super::Imports`]).
    ImportUnderWay,
    /// The call did one step of the work, and more steps are left. The configuration is unchanged. The caller repeats the call to
    /// continue.
    Unfinished,
    /// The leaderboard does not keep the period whose counts are to be verified. Only the use case returns this, not a store.
    UnknownPeriod,
    /// The reset changed [`crate::MAX_SCHEDULE_CHANGES`] times within the kept periods. Only the use case returns this, not a
    /// store.
    TooManyScheduleChanges,
    /// An instance whose clock is ahead began the next period early. The order of that period's entries would change, and the put
    /// does not allow a rebuild. Only the use case returns this, not a store.
    EarlyEntries {
        /// The period that began early.
        period: PeriodId,
    },
    /// An instance whose clock is ahead began the next period early, and that period has more than [`super::MAX_REBUILD_ENTRIES`]
    /// entries. Only the use case returns this, not a store.
    TooManyEarlyEntries {
        /// The period that began early.
        period: PeriodId,
    },
    /// An instance whose clock is ahead began the next period early, and the new schedule does not have that period, so its
    /// entries would become unreachable. Only the use case returns this, not a store.
    EarlyPeriodLost {
        /// The period that began early.
        period: PeriodId,
    },
    /// The configuration was stored, but a period that began early did not get the new order. Only the use case returns this, not
    /// a store.
    StoredUnordered {
        /// The period that began early.
        period: PeriodId,
        /// Why the period did not get the new order.
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
    /// Checks that the current version (`None` if there is no document) is the expected one.
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

/// The configurations of leaderboards. They are separate from [`super::Documents`] because a store changes a configuration
/// atomically with its event and with the check that every entry has the right order.
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
    /// An unchanged configuration keeps its version and adds no event, unless the entries of the current period have another
    /// order than the configuration. In that case, the call acts like a change of the order.
    ///
    /// A rebuild puts the current period's entries into the new order. It matches columns by name; an entry that has no value in
    /// a column gets
    /// 0. Other periods keep their layout, and refuse late scores if their layout differs from the configuration.
    ///
    /// One call puts up to [`super::REBUILD_STEP_ENTRIES`] entries into the new order. While entries are left, the call returns
    /// [`PutRefusal::Unfinished`], after a pause about as long as the step, so that the store can serve other calls. Between the
    /// steps, reads return the old order, scores for the period are refused with [`crate::RefusalReason::Rebuilding`], and a
    /// removal or a ban restarts the rebuild. If no further step follows, the rebuild is abandoned: about
    /// [`super::REBUILD_LEASE_MS`] after the last step, the period accepts scores again.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is an inner result.
    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError>;

    /// Returns up to `limit` configurations in byte order of the leaderboards' ids, beginning after the id `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError>;

    /// Deletes a leaderboard: its configuration, entries, log and idempotency records. Returns whether the leaderboard existed.
    /// The data is invisible at once, and the id can be used again. If the data is too much for one call, [`Leaderboards::sweep`]
    /// deletes the rest, which counts against the tenant's quotas until then.
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
