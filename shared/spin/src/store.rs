//! The store of record: Redis or the embedded SQLite.
//!
//! It is an enum and not a type parameter, so that the pipeline and the handlers are compiled once. A second copy for the other
//! store would make each component larger.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    AnnouncedChange, Announcements, AuditLog, AuditRecord, Ban, Bans, ChargeRequest, Counters, DayUsage,
    DeadLetter, DeadLetters, DocumentKind, DocumentName, Documents, EntryQuota, Events, Expected,
    Leaderboards, Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Positions,
    PutLeaderboard, PutRefusal, RateLimitDecision, RateLimits, ReadError, Readiness, RecordedAudit, Sample,
    Scores, SettingCheck, StoredDeadLetter, SubmitOptions, Submitted, TooManyBans, VersionMismatch,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, PeriodId, PlayerId, PreparedSubmission, RecordedEvent, StoreError, TenantId,
    Timestamp, Versioned,
};
use leaderboard_redis::RedisStore;
use leaderboard_sqlite::SqliteStore;

use crate::redis::RedisConnection;
use crate::settings::StoreChoice;
use crate::sqlite::SqliteConnection;

/// The store of record.
#[derive(Debug)]
pub struct Store(Engine);

#[derive(Debug)]
enum Engine {
    Redis(RedisStore<RedisConnection>),
    Sqlite(SqliteStore<SqliteConnection>),
}

impl Store {
    pub(crate) fn new(choice: StoreChoice) -> Self {
        Self(match choice {
            StoreChoice::Redis(address) => Engine::Redis(RedisStore::new(RedisConnection::new(address))),
            StoreChoice::Embedded(synchronous) => {
                let store = SqliteStore::new(SqliteConnection::default());
                Engine::Sqlite(store.with_synchronous(synchronous))
            }
        })
    }
}

/// Calls a method of a port on the selected engine.
macro_rules! engine {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match &$self.0 {
            Engine::Redis(store) => store.$method($($argument),*).await,
            Engine::Sqlite(store) => store.$method($($argument),*).await,
        }
    };
}

impl Scores for Store {
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        engine!(self.submit_with_options(tenant, submissions, options))
    }

    async fn page(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        engine!(self.page(period_ref, from, limit, caller))
    }

    async fn around(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        engine!(self.around(period_ref, player, limit, caller))
    }

    async fn entries_by_player(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError> {
        engine!(self.entries_by_player(period_ref, players, caller))
    }

    async fn sample(&self, period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        engine!(self.sample(period_ref, fractions))
    }

    async fn positions(
        &self,
        period_ref: &PeriodRef<'_>,
        tuples: &[Vec<u8>],
    ) -> Result<Positions, ReadError> {
        engine!(self.positions(period_ref, tuples))
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        engine!(self.find_period(tenant, leaderboard, id, now))
    }

    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError> {
        engine!(self.list_periods(tenant, leaderboard, before, limit, now))
    }

    async fn remove(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        engine!(self.remove(period_ref, player, at))
    }
}

impl Bans for Store {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        engine!(self.ban(tenant, ban))
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        engine!(self.unban(tenant, player, at))
    }

    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError> {
        engine!(self.find_ban(tenant, player, now))
    }

    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError> {
        engine!(self.list_bans(tenant, after, limit, now))
    }
}

impl Events for Store {
    async fn read(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        engine!(self.read(tenant, leaderboard, after, limit))
    }
}

impl Leaderboards for Store {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        engine!(self.get(tenant, id))
    }

    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError> {
        engine!(self.get_many(tenant, ids))
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        engine!(self.put(put))
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        engine!(self.list(tenant, after, limit))
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        engine!(self.delete(tenant, id, expected))
    }

    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        engine!(self.sweep(tenant))
    }
}

impl DeadLetters for Store {
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        engine!(self.push_dead_letters(tenant, letters))
    }

    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        engine!(self.list_dead_letters(tenant, before, limit))
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        engine!(self.read_dead_letter(id))
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        engine!(self.delete_dead_letter(id))
    }
}

impl Readiness for Store {
    async fn check_ready(&self) -> Result<(), StoreError> {
        engine!(self.check_ready())
    }

    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError> {
        engine!(self.check_settings())
    }
}

impl Documents for Store {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        engine!(self.read_documents(names))
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        engine!(self.put_document(name, body, expected))
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        engine!(self.delete_document(name, expected))
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        engine!(self.list_documents(tenant, kind, after, limit))
    }
}

impl RateLimits for Store {
    async fn take(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        engine!(self.take(tenant, charge_request))
    }

    async fn report(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        engine!(self.report(tenant, charge_request))
    }

    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError> {
        engine!(self.usage(tenant, days))
    }
}

impl Counters for Store {
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        engine!(self.add(counts))
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        engine!(self.counters())
    }
}

impl AuditLog for Store {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        engine!(self.append_audit(record))
    }

    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        engine!(self.read_audit(tenant, before, limit))
    }
}

impl Announcements for Store {
    async fn announce(
        &self,
        channel: &str,
        tenant: &TenantId,
        change: AnnouncedChange<'_>,
    ) -> Result<bool, StoreError> {
        engine!(self.announce(channel, tenant, change))
    }
}
