//! The store of record: Redis or the embedded SQLite.
//!
//! It is an enum and not a type parameter, so that the pipeline and the handlers are compiled once. A second copy for the other
//! store would make each component larger.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    AnnouncedChange, Announcements, AuditLog, AuditRecord, Ban, BannedPlayers, Bans, ChargeRequest, Claim,
    ClaimOutcome, ClaimPage, ClaimedItem, Correction, Counters, DayUsage, DeadLetter, DeadLetters,
    DocumentKind, DocumentName, Documents, EarlyItems, EncodedEvent, EnqueueRefusal, EntryQuota, EntryRepair,
    Erasures, Events, Expected, Exports, FinishedItem, Freeze, ImportRefusal, ImportStep, Imports,
    Leaderboards, ListedPeriod, LogBounds, MoveProgress, MoveRefusal, NewImport, NewQueueItem, NewSnapshot,
    Page, PageFrom, PendingRequest, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Positions,
    PutLeaderboard, PutRefusal, Queue, QueueLag, QueuedRequest, RateLimitDecision, RateLimits, ReadError,
    Readiness, RecordedAudit, ReplaceRecord, Replica, RequestPage, Sample, ScannedPlayers, Scores,
    SettingCheck, ShardNumber, Shards, SnapshotSummary, Snapshots, Standings, StoredDeadLetter,
    StoredEntries, StoredImport, SubmitOptions, Submitted, TenantPlace, TooManyBans, VersionMismatch,
};
use leaderboard_core::{
    Entry, Layout, Leaderboard, LeaderboardId, OrderKey, Period, PeriodId, PlayerErasure, PlayerId,
    PreparedSubmission, StoreError, TenantId, Timestamp, Versioned,
};
use leaderboard_redis::RedisStore;
use leaderboard_sqlite::SqliteStore;

use crate::redis::RedisConnection;
use crate::sqlite::SqliteConnection;
use crate::store_choice::StoreChoice;

/// The store of record.
#[derive(Debug)]
pub struct Store(Engine);

#[derive(Debug)]
enum Engine {
    Redis(Box<RedisStore<RedisConnection>>),
    Sqlite(SqliteStore<SqliteConnection>),
}

impl Store {
    pub(crate) fn new(choice: StoreChoice) -> Self {
        Self(match choice {
            StoreChoice::Redis {
                primary,
                further,
                replica,
            } => {
                let first = RedisStore::new(RedisConnection::new(primary));
                let store = further.into_iter().fold(first, |store, address| {
                    store.with_shard(RedisConnection::new(address))
                });
                Engine::Redis(Box::new(match replica {
                    Some(address) => store.with_replica(RedisConnection::new_replica(address)),
                    None => store,
                }))
            }
            StoreChoice::Embedded(synchronous) => {
                let store = SqliteStore::new(SqliteConnection::default());
                Engine::Sqlite(store.with_synchronous(synchronous))
            }
        })
    }
}

/// Implements ports: each method calls the method of the same name on the selected engine. The signatures leave out `&self`, and
/// `async` where they do not begin with `sync`.
macro_rules! forward_to_engine {
    ($(impl $port:ident {
        $(sync fn $sync_method:ident($($sync_argument:ident: $sync_type:ty),*) -> $sync_result:ty;)*
        $(fn $method:ident($($argument:ident: $type:ty),*) -> $result:ty;)*
    })*) => {$(
        impl $port for Store {
            $(fn $sync_method(&self, $($sync_argument: $sync_type),*) -> $sync_result {
                match &self.0 {
                    Engine::Redis(store) => store.$sync_method($($sync_argument),*),
                    Engine::Sqlite(store) => store.$sync_method($($sync_argument),*),
                }
            })*
            $(async fn $method(&self, $($argument: $type),*) -> $result {
                match &self.0 {
                    Engine::Redis(store) => store.$method($($argument),*).await,
                    Engine::Sqlite(store) => store.$method($($argument),*).await,
                }
            })*
        }
    )*};
}

forward_to_engine! {
    impl Shards {
        sync fn count_shards() -> ShardNumber;
        sync fn guess_shard(tenant: Option<&TenantId>) -> ShardNumber;
        fn find_on_other_shards(tenant: &TenantId) -> bool;
        fn check_shard(shard: ShardNumber) -> Result<(), StoreError>;
        fn find_shard(tenant: &TenantId) -> Result<Option<TenantPlace>, StoreError>;
        fn move_tenant(tenant: &TenantId, to: ShardNumber)
            -> Result<Result<MoveProgress, MoveRefusal>, StoreError>;
    }
    impl Replica {
        sync fn has_replica() -> bool;
        fn write_clock() -> Result<(), StoreError>;
        fn read_replica_clock() -> Result<Option<Timestamp>, StoreError>;
    }
    impl Scores {
        fn submit_with_options(tenant: &TenantId, submissions: &[PreparedSubmission], options: &SubmitOptions)
            -> Result<Submitted, StoreError>;
        fn page(period_ref: &PeriodRef<'_>, from: &PageFrom, limit: u32, caller: &Caller)
            -> Result<Page, ReadError>;
        fn around(period_ref: &PeriodRef<'_>, player: &PlayerId, limit: u32, caller: &Caller)
            -> Result<Option<Page>, ReadError>;
        fn entries_by_player(period_ref: &PeriodRef<'_>, players: &[PlayerId], caller: &Caller)
            -> Result<PlayerEntries, ReadError>;
        fn sample(period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError>;
        fn positions(period_ref: &PeriodRef<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError>;
        fn find_period(tenant: &TenantId, leaderboard: &LeaderboardId, id: &PeriodId, now: Timestamp)
            -> Result<Option<PeriodSummary>, StoreError>;
        fn list_periods(
            tenant: &TenantId, leaderboard: &LeaderboardId, before: Option<Timestamp>, limit: u32, now: Timestamp
        ) -> Result<PeriodPage, StoreError>;
        fn remove(period_ref: &PeriodRef<'_>, player: &PlayerId, at: Timestamp)
            -> Result<Option<u64>, ReadError>;
    }
    impl Standings {
        fn freeze(period_ref: &PeriodRef<'_>, period: &Period, expires_at: Option<Timestamp>)
            -> Result<Freeze, ReadError>;
        fn read_claims(period_ref: &PeriodRef<'_>, players: &[PlayerId])
            -> Result<Vec<Option<Claim>>, ReadError>;
        fn claim_prize(period_ref: &PeriodRef<'_>, player: &PlayerId, freeze: &Freeze, claim: &Claim)
            -> Result<ClaimOutcome, ReadError>;
    }
    impl Bans {
        fn ban(tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError>;
        fn unban(tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError>;
        fn find_ban(tenant: &TenantId, player: &PlayerId, now: Timestamp) -> Result<Option<Ban>, StoreError>;
        fn find_banned(tenant: &TenantId, players: &[PlayerId], now: Timestamp)
            -> Result<BannedPlayers, StoreError>;
        fn list_bans(tenant: &TenantId, after: Option<&PlayerId>, limit: u32, now: Timestamp)
            -> Result<Vec<Ban>, StoreError>;
    }
    impl Erasures {
        fn erase_entries(tenant: &TenantId, leaderboard: &LeaderboardId, erasure: &PlayerErasure, at: Timestamp)
            -> Result<Option<u64>, StoreError>;
        fn erase_events(tenant: &TenantId, leaderboard: &LeaderboardId, erasure: &PlayerErasure, up_to: u64)
            -> Result<bool, StoreError>;
        fn replace_audit(
            tenant: &TenantId, erasure: &PlayerErasure, mention: &[u8], replace: ReplaceRecord<'_>
        ) -> Result<bool, StoreError>;
        fn erase_ban(tenant: &TenantId, erasure: &PlayerErasure, at: Timestamp) -> Result<bool, StoreError>;
    }
    impl Events {
        fn read_encoded(tenant: &TenantId, leaderboard: &LeaderboardId, after: u64, limit: u32)
            -> Result<Vec<EncodedEvent>, StoreError>;
        fn find_log_bounds(tenant: &TenantId, leaderboard: &LeaderboardId)
            -> Result<Option<LogBounds>, StoreError>;
    }
    impl Snapshots {
        fn list_snapshots(tenant: &TenantId, leaderboard: &LeaderboardId)
            -> Result<Vec<SnapshotSummary>, StoreError>;
        fn read_snapshot(tenant: &TenantId, leaderboard: &LeaderboardId, position: u64)
            -> Result<Option<Vec<u8>>, StoreError>;
        fn delete_snapshots(tenant: &TenantId, leaderboard: &LeaderboardId, at: Timestamp) -> Result<(), StoreError>;
        fn put_snapshot(tenant: &TenantId, leaderboard: &LeaderboardId, snapshot: &NewSnapshot<'_>)
            -> Result<bool, StoreError>;
    }
    impl EntryRepair {
        fn read_stored_entries(period_ref: &PeriodRef<'_>, players: &[PlayerId])
            -> Result<StoredEntries, ReadError>;
        fn scan_stored_players(period_ref: &PeriodRef<'_>, from: &[u8], removes_strays: bool)
            -> Result<ScannedPlayers, ReadError>;
        fn correct_entries(period_ref: &PeriodRef<'_>, layout: &Layout, corrections: &[Correction<'_>])
            -> Result<u64, ReadError>;
    }
    impl Exports {
        fn find_stored_period(tenant: &TenantId, leaderboard: &LeaderboardId, index: u64)
            -> Result<ListedPeriod, StoreError>;
        fn list_stored_entries(period_ref: &PeriodRef<'_>, is_banned: bool, after: Option<&OrderKey>)
            -> Result<Vec<Entry>, ReadError>;
        fn list_claims(period_ref: &PeriodRef<'_>, from: &[u8]) -> Result<ClaimPage, ReadError>;
    }
    impl Imports {
        fn find_import(tenant: &TenantId) -> Result<Option<StoredImport>, StoreError>;
        fn begin_import(import: &NewImport<'_>) -> Result<Result<(), ImportRefusal>, StoreError>;
        fn write_import(step: &ImportStep<'_>) -> Result<Result<(), ImportRefusal>, StoreError>;
        fn finish_import(tenant: &TenantId, leaderboard: &LeaderboardId, expected: &[u8])
            -> Result<Result<(), ImportRefusal>, StoreError>;
        fn discard_import(tenant: &TenantId, leaderboard: &LeaderboardId, written_until: Option<Timestamp>)
            -> Result<bool, StoreError>;
    }
    impl Leaderboards {
        fn get(tenant: &TenantId, id: &LeaderboardId) -> Result<Option<Versioned<Leaderboard>>, StoreError>;
        fn get_many(tenant: &TenantId, ids: &[LeaderboardId])
            -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError>;
        fn put(put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError>;
        fn list(tenant: &TenantId, after: Option<&LeaderboardId>, limit: u32)
            -> Result<Vec<Versioned<Leaderboard>>, StoreError>;
        fn delete(tenant: &TenantId, id: &LeaderboardId, expected: Expected)
            -> Result<Result<bool, PutRefusal>, StoreError>;
        fn sweep(tenant: &TenantId) -> Result<bool, StoreError>;
    }
    impl DeadLetters {
        fn push_dead_letters(tenant: Option<&TenantId>, letters: &[DeadLetter]) -> Result<(), StoreError>;
        fn list_dead_letters(tenant: Option<&TenantId>, before: Option<u64>, limit: u32)
            -> Result<Vec<StoredDeadLetter>, StoreError>;
        fn read_dead_letter(id: u64) -> Result<Option<StoredDeadLetter>, StoreError>;
        fn delete_dead_letter(id: u64) -> Result<bool, StoreError>;
    }
    impl Queue {
        fn enqueue(tenant: &TenantId, item: &NewQueueItem<'_>) -> Result<Result<(), EnqueueRefusal>, StoreError>;
        fn claim_items(limit: u32, lease_ms: u32) -> Result<Vec<ClaimedItem>, StoreError>;
        fn retry_items(items: &[ClaimedItem], wait_ms: u32, lease_ms: u32) -> Result<(), StoreError>;
        fn finish_items(tenant: Option<&TenantId>, items: &[FinishedItem]) -> Result<(), StoreError>;
        fn find_request(tenant: &TenantId, id: &str) -> Result<Option<QueuedRequest>, StoreError>;
        fn list_pending(tenant: &TenantId, player: &PlayerId, limit: u32)
            -> Result<Vec<PendingRequest>, StoreError>;
        fn measure_queue() -> Result<QueueLag, StoreError>;
        fn find_early_items(tenant: &TenantId, until: Timestamp, from: Option<&str>) -> Result<EarlyItems, StoreError>;
        fn find_requests_about(tenant: &TenantId, player: &PlayerId, from: Option<&str>)
            -> Result<RequestPage, StoreError>;
        fn delete_request(tenant: &TenantId, id: &str) -> Result<(), StoreError>;
    }
    impl Readiness {
        fn check_ready() -> Result<(), StoreError>;
        fn check_settings() -> Result<Vec<SettingCheck>, StoreError>;
    }
    impl Documents {
        fn read_documents(names: &[DocumentName]) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError>;
        fn put_document(name: &DocumentName, body: &[u8], expected: Expected)
            -> Result<Result<(u64, bool), VersionMismatch>, StoreError>;
        fn delete_document(name: &DocumentName, expected: Expected)
            -> Result<Result<bool, VersionMismatch>, StoreError>;
        fn list_documents(tenant: Option<&TenantId>, kind: DocumentKind, after: Option<&str>, limit: u32)
            -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError>;
    }
    impl RateLimits {
        fn take(tenant: &TenantId, charge_request: &ChargeRequest) -> Result<RateLimitDecision, StoreError>;
        fn report(tenant: &TenantId, charge_request: &ChargeRequest) -> Result<RateLimitDecision, StoreError>;
        fn usage(tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError>;
    }
    impl Counters {
        fn add(counts: &[(Box<str>, u64)]) -> Result<(), StoreError>;
        fn counters() -> Result<Vec<(Box<str>, u64)>, StoreError>;
    }
    impl AuditLog {
        fn append_audit(record: &AuditRecord) -> Result<u64, StoreError>;
        fn read_audit(tenant: Option<&TenantId>, before: Option<u64>, limit: u32)
            -> Result<Vec<RecordedAudit>, StoreError>;
    }
    impl Announcements {
        fn announce(channel: &str, tenant: &TenantId, change: AnnouncedChange<'_>)
            -> Result<bool, StoreError>;
    }
}
