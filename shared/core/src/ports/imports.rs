//! Leaderboards that are being imported.

use std::rc::Rc;

use super::{Claim, EncodedEvent, ListedEntry, SnapshotSummary, StoredPeriod};
use crate::{Layout, Leaderboard, LeaderboardId, PeriodId, PlayerId, StoreError, TenantId, Timestamp};

/// How long an import is kept after its last step, in milliseconds. A stopped import can be continued for a day; what it has written
/// counts against the tenant's quotas.
pub const IMPORT_RETENTION_MS: i64 = 24 * 60 * 60 * 1000;

/// An import that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImport {
    /// The leaderboard that is being imported.
    pub leaderboard: LeaderboardId,
    /// How far the import is, as its last step stored it.
    pub state: Vec<u8>,
    /// The instant of its last step.
    pub written_at: Timestamp,
}

/// An import to begin.
#[derive(Debug, Clone)]
pub struct NewImport<'a> {
    /// The tenant of the leaderboard.
    pub tenant: &'a TenantId,
    /// The configuration; it has passed [`Leaderboard::check`].
    pub leaderboard: &'a Leaderboard,
    /// How far the import is after this call.
    pub state: &'a [u8],
    /// The most leaderboards that the tenant may have.
    pub max_leaderboards: Option<u64>,
    /// The instant of the call.
    pub at: Timestamp,
}

/// The period that an imported entry or claim belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedInto {
    /// The period.
    pub period: PeriodId,
    /// Its layout.
    pub layout: Layout,
}

/// A part of a leaderboard that a step of an import writes.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportedPart {
    /// A new period, without entries and claims.
    Period(Box<StoredPeriod>),
    /// An entry that the period does not have yet.
    Entry(Rc<ImportedInto>, Box<ListedEntry>),
    /// A claim. It replaces another one of the player.
    Claim(Rc<ImportedInto>, PlayerId, Claim),
    /// The next bytes of the snapshot.
    SnapshotBytes(Vec<u8>),
    /// The snapshot of all bytes so far is complete.
    Snapshot(SnapshotSummary),
    /// The next event.
    Event(EncodedEvent),
    /// Another version of a period, because of an event that the import adds.
    Version(PeriodId, u64),
}

/// A step of an import.
#[derive(Debug, Clone)]
pub struct ImportStep<'a> {
    /// The tenant of the leaderboard.
    pub tenant: &'a TenantId,
    /// The leaderboard.
    pub leaderboard: &'a LeaderboardId,
    /// How far the import must be.
    pub expected: &'a [u8],
    /// How far the import is after this call.
    pub state: &'a [u8],
    /// What is written, in this order.
    pub parts: &'a [ImportedPart],
    /// The most entries that the tenant may have, together with the import.
    pub max_tenant_entries: Option<u64>,
    /// The most bytes that the tenant's logs, snapshots and idempotency records may weigh, together with the import.
    pub max_log_bytes: Option<u64>,
    /// The instant of the call.
    pub at: Timestamp,
}

/// Why a call of [`Imports`] changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportRefusal {
    /// The tenant has a leaderboard with this id.
    LeaderboardExists,
    /// An import of this leaderboard is under way. A tenant has one import at a time.
    UnderWay(LeaderboardId),
    /// The tenant already has [`NewImport::max_leaderboards`] leaderboards.
    TooManyLeaderboards,
    /// The import would exceed [`ImportStep::max_tenant_entries`].
    TooManyEntries,
    /// The import would exceed [`ImportStep::max_log_bytes`].
    LogFull,
    /// The call did one step of deleting an earlier leaderboard of this id. The caller repeats the call to continue.
    Unfinished,
    /// There is no import of this leaderboard that is as far as expected: another request continued or deleted it.
    Changed,
}

/// Imports of leaderboards, at most one in a tenant. What an import has written so far belongs to no leaderboard: nobody sees it, no
/// ban is applied to it, and no leaderboard with its id can be created. [`Imports::finish_import`] makes a leaderboard of all of it
/// at once.
pub trait Imports {
    /// Returns the import of a tenant that is under way.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_import(&self, tenant: &TenantId) -> Result<Option<StoredImport>, StoreError>;

    /// Begins an import.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is an inner result.
    async fn begin_import(&self, import: &NewImport<'_>) -> Result<Result<(), ImportRefusal>, StoreError>;

    /// Writes some parts, all of them or none.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is an inner result.
    async fn write_import(&self, step: &ImportStep<'_>) -> Result<Result<(), ImportRefusal>, StoreError>;

    /// Makes a leaderboard of an import that is as far as `expected`, with a new version of the configuration.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is an inner result.
    async fn finish_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        expected: &[u8],
    ) -> Result<Result<(), ImportRefusal>, StoreError>;

    /// Deletes the import of a leaderboard with everything that it has written. With `written_until`, deletes it only if its last step
    /// was at this instant or before. Returns whether an import was deleted. If the data is too much for one call,
    /// [`super::Leaderboards::sweep`] deletes the rest.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn discard_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        written_until: Option<Timestamp>,
    ) -> Result<bool, StoreError>;
}
