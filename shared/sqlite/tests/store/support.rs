//! Files, leaderboards, submissions and other values for the tests.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Expected, Leaderboards, Page, PageFrom, PeriodRef, PutLeaderboard, PutRefusal, RankDetail, ReadSource,
    Scores,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, Outcome, PeriodId, PreparedSubmission, Refusal, Submission, SubmissionId,
    SubmittedValues, TenantId, Timestamp,
};
use leaderboard_sqlite::{Connection, SqliteStore};
use leaderboard_test_support::values::schedule;
pub(crate) use leaderboard_test_support::values::{Board, DAY_MS, player};
pub(crate) use leaderboard_test_support::{ranked_line, ranked_lines};

use crate::native_sqlite::NativeSqlite;

/// A fixed instant in Unix milliseconds: 2026-01-01T00:00:00Z.
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;

/// Returns the instant that is `ms` milliseconds after [`NOW_MS`].
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(NOW_MS + ms).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// Returns a leaderboard with the default configuration.
pub(crate) fn board(id: &str) -> Leaderboard {
    Leaderboard::new(LeaderboardId::new(id).unwrap())
}

/// A database file in a temporary directory. Dropping the value deletes the directory.
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

    /// Opens a store on the file.
    pub(crate) fn store(&self) -> SqliteStore<NativeSqlite> {
        SqliteStore::new(NativeSqlite::open(self.path()).unwrap())
    }

    /// Opens a connection to the file without a store.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }
}

/// Stores a configuration, as the use case does. Returns its version, and whether the leaderboard is new.
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
        verified: rebuild.then_some(&current),
        expiries: &[],
        at,
    };
    store.put(&put).await.unwrap()
}

/// Stores a leaderboard and reads it back.
pub(crate) async fn create_leaderboard<C: Connection>(
    store: &SqliteStore<C>,
    leaderboard: &Leaderboard,
) -> Board {
    put(store, leaderboard, false, at(0)).await.unwrap();
    get(store, &leaderboard.id).await
}

/// Reads a leaderboard that exists.
pub(crate) async fn get<C: Connection>(store: &SqliteStore<C>, id: &LeaderboardId) -> Board {
    Rc::new(Leaderboards::get(store, &tenant(), id).await.unwrap().unwrap())
}

/// Returns a submission of one score to these leaderboards.
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
        received_at: None,
    }
}

/// Returns a prepared submission of one score to these leaderboards.
pub(crate) fn prepare(
    boards: &[Board],
    name: &str,
    score: i64,
    id: Option<&str>,
    now: Timestamp,
) -> PreparedSubmission {
    submission(boards, name, score, id).resolve(boards, now).unwrap()
}

/// Submits with full ranks. Returns the result of each submission.
pub(crate) async fn submit<C: Connection>(
    store: &SqliteStore<C>,
    submissions: &[PreparedSubmission],
) -> Vec<Result<Vec<Outcome>, Refusal>> {
    store
        .submit(&tenant(), submissions, RankDetail::Full)
        .await
        .unwrap()
}

/// Submits one score to one leaderboard, `ms` milliseconds after [`NOW_MS`]. Returns the outcome.
pub(crate) async fn submit_score<C: Connection>(
    store: &SqliteStore<C>,
    board: &Board,
    name: &str,
    score: i64,
    ms: i64,
) -> Outcome {
    let boards = [Rc::clone(board)];
    let results = submit(store, &[prepare(&boards, name, score, None, at(ms))]).await;
    results.into_iter().next().unwrap().unwrap().remove(0)
}

/// Reads the first page of the all-time period.
pub(crate) async fn read_top<C: Connection>(store: &SqliteStore<C>, board: &Board, limit: u32) -> Page {
    let tenant = tenant();
    let period_ref = PeriodRef {
        tenant: &tenant,
        leaderboard: board,
        period: &PeriodId::all_time(),
        now: at(0),
        source: ReadSource::Primary,
    };
    store
        .page(&period_ref, &PageFrom::Top, limit, &Caller::Anonymous)
        .await
        .unwrap()
}

/// Returns a leaderboard with a period for each day in UTC.
pub(crate) fn daily_leaderboard(id: &str, keep: u16) -> Leaderboard {
    let mut daily = board(id);
    daily.keep_periods = keep;
    daily.schedule = schedule("0 0 * * *", "UTC");
    daily
}

/// Returns the number of rows of a table.
pub(crate) fn count_rows(file: &File, table: &str) -> i64 {
    file.raw()
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}
