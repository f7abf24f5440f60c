//! The interfaces (ports) through which the domain uses a store. Each store is a crate that implements these traits, and one
//! contract suite tests all stores against these comments.
//!
//! The futures have no `Send` bound: a component runs on one thread.
#![expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]

mod announcements;
mod audit;
mod bans;
mod dead_letters;
mod documents;
mod entry_repair;
mod erasures;
mod exports;
mod imports;
mod leaderboards;
mod queue;
mod rate_limits;
mod readiness;
mod reads;
mod replica;
mod scores;
mod shards;
mod signal;
mod snapshots;
mod standings;
mod store_error;

pub use announcements::{
    ANNOUNCEMENT_FAILED_AT, ANNOUNCEMENT_WINDOW_MS, ANNOUNCEMENTS_FAILED, AnnouncedChange, Announcements,
};
pub use audit::{
    AuditKind, AuditLog, AuditRecord, MAX_AUDIT_ACTIONS, MAX_AUDIT_AUTHENTICATIONS, RecordedAudit,
};
pub use bans::{
    Ban, BannedPlayers, Bans, MAX_BAN_REASON_BYTES, MAX_BANS, MAX_PLAYERS_LOOKED_UP, TooManyBans,
};
pub use dead_letters::{
    DeadLetter, DeadLetters, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, StoredDeadLetter,
};
pub use documents::{DocumentKind, DocumentName, Documents, MAX_DOCUMENT_ID_BYTES};
pub use entry_repair::{
    Correction, EntryRepair, ListedEntry, MAX_COMPARED_PLAYERS, ScannedPlayers, StoredEntries, StoredEntry,
};
pub use erasures::{Erasures, ReplaceRecord};
pub use exports::{ClaimPage, Exports, ListedPeriod, MAX_ROWS_EXPORTED, StoredPeriod};
pub use imports::{
    IMPORT_RETENTION_MS, ImportRefusal, ImportStep, ImportedInto, ImportedPart, Imports, NewImport,
    StoredImport,
};
pub use leaderboards::{
    Expected, Leaderboards, MAX_CONFIGURATIONS_READ, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal,
    REBUILD_LEASE_MS, REBUILD_STEP_ENTRIES, SWEEP_STEP_PERIODS, SWEEP_STEP_ROWS, VersionMismatch,
};
pub use queue::{
    ClaimedItem, EarlyItems, EnqueueRefusal, FinishedItem, MAX_CLAIMED_BYTES, MAX_PAYLOAD_BYTES,
    MAX_QUEUED_BYTES, MAX_QUEUED_ID_BYTES, MAX_QUEUED_ITEMS, MAX_RESULT_BYTES, MAX_RESULTS_DELETED,
    NewQueueItem, PendingRequest, Queue, QueueLag, QueuedRequest, RESULT_KEPT_MS, RequestPage,
};
pub use rate_limits::{
    Charge, ChargeRequest, Counters, DayUsage, EntryQuota, MAX_BUCKET_BYTES, MAX_CHARGES, MAX_DEBT_US,
    MAX_OVERDRAFT_BURSTS, Overdraft, RateLimitDecision, RateLimits, USAGE_DAYS, Usage,
};
pub use readiness::{Readiness, SettingCheck};
pub use reads::{
    NeededChanges, Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Position, Positions,
    ReadError, ReadSource, ReplicaRefusal, Sample,
};
pub use replica::Replica;
pub use scores::{
    EncodedEvent, Events, IDEMPOTENCY_MS, LogBounds, MAX_PERIODS_LISTED, MAX_PERIODS_SKIPPED,
    MIN_TRIMMED_EVENTS, RankDetail, Scores, SubmissionResult, SubmitOptions, Submitted,
};
pub use shards::{FIRST_SHARD, MAX_SHARDS, MoveProgress, MoveRefusal, ShardNumber, Shards, TenantPlace};
pub use signal::Signal;
pub use snapshots::{MAX_SNAPSHOT_BYTES, NewSnapshot, SNAPSHOT_OVERHEAD_BYTES, SnapshotSummary, Snapshots};
pub use standings::{Claim, ClaimOutcome, Freeze, Standings};
pub use store_error::StoreError;

/// A key-value store that may lose a value at any time.
pub trait Cache {
    /// Returns the value of a key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores a value under a key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Deletes a key, if it exists.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}
