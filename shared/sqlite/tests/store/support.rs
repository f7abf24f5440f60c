//! A small world to test in.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Expected, Leaderboards, Page, PageFrom, PeriodRef, PutLeaderboard, PutRefusal, RankDetail, Scores,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, Outcome, PeriodId, PlayerId, PreparedSubmission, Refusal, Reset, Schedule,
    Submission, SubmissionId, SubmittedValues, TenantId, Timestamp, Versioned,
};
use leaderboard_sqlite::{Connection, SqliteStore};

use crate::native_sqlite::NativeSqlite;

/// An ordinary instant: 2026-01-01T00:00:00Z.
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(NOW_MS + ms).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

pub(crate) fn board(id: &str) -> Leaderboard {
    Leaderboard::new(LeaderboardId::new(id).unwrap())
}

/// A directory that is deleted with this, and a database file in it.
pub(crate) struct File {
    directory: tempfile::TempDir,
}

impl File {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("edgeboard.db")
    }

    pub(crate) fn store(&self) -> SqliteStore<NativeSqlite> {
        SqliteStore::new(NativeSqlite::open(self.path()).unwrap())
    }

    /// A connection past the store.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }
}

pub(crate) type Board = Rc<Versioned<Leaderboard>>;

/// Stores a configuration, as the use case does.
pub(crate) async fn put<C: Connection>(
    store: &SqliteStore<C>,
    leaderboard: &Leaderboard,
    rebuild: bool,
    at: Timestamp,
) -> Result<(u64, bool), PutRefusal> {
    let current = leaderboard.schedule.period_at(at).id;
    let tenant = tenant();
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant: &tenant,
        leaderboard,
        expected: Expected::Any,
        current: &current,
        rebuild,
        expiries: &[],
        at,
    };
    store.put(&put).await.unwrap()
}

pub(crate) async fn configured<C: Connection>(store: &SqliteStore<C>, leaderboard: &Leaderboard) -> Board {
    put(store, leaderboard, false, at(0)).await.unwrap();
    get(store, &leaderboard.id).await
}

pub(crate) async fn get<C: Connection>(store: &SqliteStore<C>, id: &LeaderboardId) -> Board {
    Rc::new(Leaderboards::get(store, &tenant(), id).await.unwrap().unwrap())
}

/// A score on its way in.
pub(crate) fn submission(boards: &[Board], name: &str, score: i64, id: Option<&str>) -> Submission {
    Submission {
        leaderboards: boards.iter().map(|board| board.value.id.clone()).collect(),
        player: player(name),
        values: SubmittedValues::Score(score),
        operator: None,
        metadata: None,
        occurred_at: None,
        id: id.map(|id| SubmissionId::new(id).unwrap()),
        request: None,
    }
}

pub(crate) fn attempt(
    boards: &[Board],
    name: &str,
    score: i64,
    id: Option<&str>,
    now: Timestamp,
) -> PreparedSubmission {
    submission(boards, name, score, id).resolve(boards, now).unwrap()
}

pub(crate) async fn submit<C: Connection>(
    store: &SqliteStore<C>,
    attempts: &[PreparedSubmission],
) -> Vec<Result<Vec<Outcome>, Refusal>> {
    store.submit(&tenant(), attempts, RankDetail::Full).await.unwrap()
}

/// One score on one leaderboard, at the millisecond `ms`.
pub(crate) async fn score<C: Connection>(
    store: &SqliteStore<C>,
    board: &Board,
    name: &str,
    score: i64,
    ms: i64,
) -> Outcome {
    let boards = [Rc::clone(board)];
    let results = submit(store, &[attempt(&boards, name, score, None, at(ms))]).await;
    results.into_iter().next().unwrap().unwrap().remove(0)
}

/// The first page of the all-time period.
pub(crate) async fn top<C: Connection>(store: &SqliteStore<C>, board: &Board, limit: u32) -> Page {
    let tenant = tenant();
    let place = PeriodRef {
        tenant: &tenant,
        leaderboard: board,
        period: &PeriodId::all_time(),
        now: at(0),
    };
    store
        .page(&place, &PageFrom::Top, limit, &Caller::Anonymous)
        .await
        .unwrap()
}

/// Rank, player and first value of each entry.
pub(crate) fn lines(page: &Page) -> Vec<(u64, String, i64)> {
    page.entries
        .iter()
        .map(|ranked| {
            let entry = &ranked.entry;
            (ranked.rank, entry.player.to_string(), entry.values.first())
        })
        .collect()
}

pub(crate) fn line(rank: u64, name: &str, score: i64) -> (u64, String, i64) {
    (rank, name.to_owned(), score)
}

pub(crate) const DAY_MS: i64 = 86_400_000;

/// A leaderboard with a period for each day in UTC.
pub(crate) fn daily(id: &str, keep: u16) -> Leaderboard {
    let mut daily = board(id);
    daily.keep_periods = keep;
    daily.schedule = Schedule::new(Reset {
        cron: "0 0 * * *".into(),
        time_zone: "UTC".into(),
    })
    .unwrap();
    daily
}

/// How many rows a table has.
pub(crate) fn rows(file: &File, table: &str) -> i64 {
    file.raw()
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}
