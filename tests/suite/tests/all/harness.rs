//! A place for a store, fresh for every test, and short words for what tests do with it.

use std::cell::Cell;
use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    AuditLog, Ban, Bans, Counters, DeadLetters, Documents, Events, Expected, Leaderboards, Page, PageFrom,
    PeriodRef, PutLeaderboard, PutRefusal, RankDetail, RateLimits, ReadError, Readiness, Scores,
};
use leaderboard_core::{
    Leaderboard, Outcome, PeriodId, PreparedSubmission, RankedEntry, RecordedEvent, Refusal, RefusalReason,
    Submission, SubmissionId, TenantId, Timestamp, Versioned,
};
use leaderboard_redis::RedisStore;
use leaderboard_sqlite::SqliteStore;
use leaderboard_suite::RedisServer;
use leaderboard_suite::native_redis::{self, NativeRedis};
use leaderboard_suite::native_sqlite::NativeSqlite;

use crate::given;
use crate::given::{Board, at, player, resolved, submission, submission_id};

/// More than any test puts into one log or list.
pub(crate) const ALL: u32 = 1_000_000;

/// The ports of leaderboards and their scores.
pub(crate) trait Ranks: Scores + Bans + Events + Leaderboards + DeadLetters + Readiness {}
impl<S: Scores + Bans + Events + Leaderboards + DeadLetters + Readiness> Ranks for S {}

/// All ports that a store offers.
pub(crate) trait Store: Ranks + Documents + RateLimits + Counters + AuditLog {}
impl<S: Ranks + Documents + RateLimits + Counters + AuditLog> Store for S {}

/// A place where stores keep their data. Two stores on one place see the same.
pub(crate) trait Harness {
    type Store: Store;
    fn new() -> Self;
    async fn open(&self) -> Self::Store;
}

/// Where files are kept in memory, on systems that have it. A commit waits for the disk, and what these tests ask
/// does not depend on how long.
const IN_MEMORY: &str = "/dev/shm";

pub(crate) struct OnSqlite(tempfile::TempDir);

impl Harness for OnSqlite {
    type Store = SqliteStore<NativeSqlite>;

    fn new() -> Self {
        let in_memory = tempfile::tempdir_in(IN_MEMORY);
        Self(in_memory.or_else(|_| tempfile::tempdir()).unwrap())
    }

    async fn open(&self) -> Self::Store {
        SqliteStore::new(NativeSqlite::open(self.0.path().join("edgeboard.db")).unwrap())
    }
}

pub(crate) struct OnRedis(pub(crate) RedisServer);

impl Harness for OnRedis {
    type Store = RedisStore<NativeRedis>;

    fn new() -> Self {
        Self(RedisServer::start())
    }

    async fn open(&self) -> Self::Store {
        RedisStore::new(native_redis::connect(&self.0.url()).await)
    }
}

/// Runs a test on a runtime of its own.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test)
}

/// Runs a test in a world of its own.
pub(crate) fn run<H: Harness>(test: impl AsyncFnOnce(World<H>)) {
    block_on(async {
        let harness = H::new();
        let store = harness.open().await;
        test(World {
            harness,
            store,
            tenant: given::tenant("acme"),
            now: Cell::new(at(0)),
        })
        .await;
    });
}

/// Defines tests that run on both stores: a test that has no name here does not exist on either.
macro_rules! on_both_stores {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident) $body:block)*) => {
        $($(#[$doc])* async fn $name<H: $crate::harness::Harness>($world: $crate::harness::World<H>) $body)*

        mod sqlite {
            $(#[test] fn $name() { $crate::harness::run::<$crate::harness::OnSqlite>(super::$name); })*
        }

        mod redis {
            $(#[test] fn $name() { $crate::harness::run::<$crate::harness::OnRedis>(super::$name); })*
        }
    };
}
pub(crate) use on_both_stores;

/// A store, a tenant and a clock that tests move.
pub(crate) struct World<H: Harness> {
    pub(crate) harness: H,
    pub(crate) store: H::Store,
    pub(crate) tenant: TenantId,
    pub(crate) now: Cell<Timestamp>,
}

impl<H: Harness> World<H> {
    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(crate) fn pass_ms(&self, ms: i64) {
        self.now.set(self.now().saturating_add_ms(ms));
    }

    /// Stores a configuration as the use case does, whatever is there.
    pub(crate) async fn put(&self, leaderboard: &Leaderboard) -> Board {
        self.try_put(leaderboard, Expected::Any, false).await.unwrap();
        self.current(leaderboard).await
    }

    pub(crate) async fn rebuilt(&self, leaderboard: &Leaderboard) -> Board {
        self.try_put(leaderboard, Expected::Any, true).await.unwrap();
        self.current(leaderboard).await
    }

    pub(crate) async fn current(&self, leaderboard: &Leaderboard) -> Board {
        Rc::new(self.configuration(leaderboard).await.expect("a configuration"))
    }

    pub(crate) async fn configuration(&self, leaderboard: &Leaderboard) -> Option<Versioned<Leaderboard>> {
        Leaderboards::get(&self.store, &self.tenant, &leaderboard.id)
            .await
            .unwrap()
    }

    pub(crate) async fn try_put(
        &self,
        leaderboard: &Leaderboard,
        expected: Expected,
        rebuild: bool,
    ) -> Result<(u64, bool), PutRefusal> {
        put_in(
            &self.store,
            &self.tenant,
            leaderboard,
            expected,
            rebuild,
            self.now(),
        )
        .await
    }

    /// One score now; a millisecond passes after it.
    pub(crate) async fn score(&self, board: &Board, name: &str, value: i64) -> Outcome {
        let outcome = self.submit(&submission(&[board], name, &[value]), &[board]).await;
        outcome.unwrap().remove(0)
    }

    pub(crate) async fn score_with_id(
        &self,
        board: &Board,
        name: &str,
        value: i64,
        id: &str,
    ) -> Result<Outcome, RefusalReason> {
        let submission = Submission {
            id: Some(submission_id(id)),
            ..submission(&[board], name, &[value])
        };
        let outcome = self.submit(&submission, &[board]).await;
        outcome
            .map(|mut all| all.remove(0))
            .map_err(|refusal| refusal.reason)
    }

    pub(crate) async fn submit(
        &self,
        submission: &Submission,
        boards: &[&Board],
    ) -> Result<Vec<Outcome>, Refusal> {
        let attempt = resolved(submission, boards, self.now());
        self.pass_ms(1);
        self.settle(&[attempt]).await.remove(0)
    }

    pub(crate) async fn refused(&self, board: &Board, name: &str, value: i64) -> RefusalReason {
        let refused = self.submit(&submission(&[board], name, &[value]), &[board]).await;
        refused.unwrap_err().reason
    }

    pub(crate) async fn settle(&self, attempts: &[PreparedSubmission]) -> Vec<Result<Vec<Outcome>, Refusal>> {
        self.store
            .submit(&self.tenant, attempts, RankDetail::Full)
            .await
            .unwrap()
    }

    /// The period that holds now.
    pub(crate) fn period(&self, board: &Board) -> PeriodId {
        board.value.schedule.period_at(self.now()).id
    }

    pub(crate) async fn page(&self, board: &Board, from: &PageFrom, limit: u32) -> Page {
        self.page_of(board, &self.period(board), from, limit)
            .await
            .unwrap()
    }

    pub(crate) async fn page_of(
        &self,
        board: &Board,
        period: &PeriodId,
        from: &PageFrom,
        limit: u32,
    ) -> Result<Page, ReadError> {
        self.store
            .page(&self.place(board, period), from, limit, &Caller::Anonymous)
            .await
    }

    pub(crate) fn place<'a>(&'a self, board: &'a Board, period: &'a PeriodId) -> PeriodRef<'a> {
        PeriodRef {
            tenant: &self.tenant,
            board,
            period,
            now: self.now(),
        }
    }

    /// The whole list of the current period.
    pub(crate) async fn list(&self, board: &Board) -> Vec<(u64, String, i64)> {
        lines(&self.page(board, &PageFrom::Top, 1000).await.entries)
    }

    pub(crate) async fn around(
        &self,
        board: &Board,
        name: &str,
        limit: u32,
        caller: &Caller,
    ) -> Option<Page> {
        let period = self.period(board);
        let page = self
            .store
            .around(&self.place(board, &period), &player(name), limit, caller)
            .await;
        page.unwrap()
    }

    /// The rank of one player in the current period, as a server sees it.
    pub(crate) async fn rank(&self, board: &Board, name: &str) -> Option<u64> {
        let period = self.period(board);
        let standings = self
            .store
            .entries_by_player(&self.place(board, &period), &[player(name)], &Caller::Server)
            .await;
        standings.unwrap().entries.first().map(|ranked| ranked.rank)
    }

    pub(crate) async fn remove(&self, board: &Board, name: &str) -> Option<u64> {
        let period = self.period(board);
        self.store
            .remove(&self.place(board, &period), &player(name), self.now())
            .await
            .unwrap()
    }

    pub(crate) async fn hide(&self, name: &str) {
        self.store
            .ban(&self.tenant, &Ban::new(player(name), self.now()))
            .await
            .unwrap()
            .unwrap();
    }

    pub(crate) async fn restore(&self, name: &str) {
        self.store
            .unban(&self.tenant, &player(name), self.now())
            .await
            .unwrap();
    }

    pub(crate) async fn events(&self, board: &Board) -> Vec<RecordedEvent> {
        Events::read(&self.store, &self.tenant, &board.value.id, 0, ALL)
            .await
            .unwrap()
    }
}

/// Stores a configuration as the use case does: with the expiries of the periods that are there.
pub(crate) async fn put_in<S: Store>(
    store: &S,
    tenant: &TenantId,
    leaderboard: &Leaderboard,
    expected: Expected,
    rebuild: bool,
    now: Timestamp,
) -> Result<(u64, bool), PutRefusal> {
    let periods = store.periods(tenant, &leaderboard.id, now).await.unwrap();
    let expiry = |summary: leaderboard_core::ports::PeriodSummary| {
        let expires_at = leaderboard
            .schedule
            .expires_at(&summary.period, leaderboard.keep_periods);
        (summary.period.id, expires_at)
    };
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant,
        leaderboard,
        expected,
        current: &leaderboard.schedule.period_at(now).id,
        rebuild,
        expiries: &periods.into_iter().map(expiry).collect::<Vec<_>>(),
        at: now,
    };
    loop {
        match store.put(&put).await.unwrap() {
            Err(PutRefusal::Unfinished) => {}
            decided => return decided,
        }
    }
}

/// Rank, player and first value of each entry.
pub(crate) fn lines(entries: &[RankedEntry]) -> Vec<(u64, String, i64)> {
    let line = |ranked: &RankedEntry| {
        (
            ranked.rank,
            ranked.entry.player.to_string(),
            ranked.entry.values.first(),
        )
    };
    entries.iter().map(line).collect()
}

pub(crate) fn line(rank: u64, name: &str, value: i64) -> (u64, String, i64) {
    (rank, name.to_owned(), value)
}

/// The ids that were used, as attempts carry them.
pub(crate) fn with_id(mut attempt: PreparedSubmission, id: &str) -> PreparedSubmission {
    attempt.id = SubmissionId::new(id).ok();
    attempt
}
