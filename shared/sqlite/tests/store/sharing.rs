//! Tests of one connection that serves many requests, and of many connections to one file.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use futures::poll;
use leaderboard_core::ports::{RankDetail, Scores};
use leaderboard_core::{Operator, StoreError};
use leaderboard_sqlite::{Connection, ConnectionError, Row, Signal, SqliteStore, Value};

use crate::native_sqlite::NativeSqlite;
use crate::support::*;

/// A connection that counts statements, and fails when a test wants it to.
pub(crate) struct Observed {
    inner: NativeSqlite,
    statements: Rc<Cell<u32>>,
    /// The number of write transactions that the store began.
    pub(crate) write_transactions: Rc<Cell<u32>>,
    /// Whether the next commit fails.
    fail_commit: Rc<Cell<bool>>,
    /// The number of times that SQLite compiled a prepared statement again.
    compiled_again: Rc<Cell<i32>>,
    /// The number of coming write transactions that will find the file in use.
    pub(crate) busy: Rc<Cell<u32>>,
    /// How long the store paused in total. A pause ends at once.
    pub(crate) paused: Rc<Cell<Duration>>,
}

impl Observed {
    pub(crate) fn open(file: &File) -> Self {
        Self {
            inner: NativeSqlite::open(file.path()).unwrap(),
            statements: Rc::default(),
            write_transactions: Rc::default(),
            fail_commit: Rc::default(),
            compiled_again: Rc::default(),
            busy: Rc::default(),
            paused: Rc::default(),
        }
    }
}

impl Connection for Observed {
    fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError> {
        if sql == "COMMIT" && self.fail_commit.take() {
            return Err(ConnectionError::Io("disk I/O error".into()));
        }
        if sql == "BEGIN IMMEDIATE" {
            if let Some(left) = self.busy.get().checked_sub(1) {
                self.busy.set(left);
                return Err(ConnectionError::Busy("database is locked".into()));
            }
            self.write_transactions.set(self.write_transactions.get() + 1);
        }
        self.statements.set(self.statements.get() + 1);
        let rows = self.inner.execute(sql, parameters);
        self.compiled_again.set(self.inner.compiled_again());
        rows
    }

    async fn let_others_run(&self) {
        self.inner.let_others_run().await;
    }

    async fn pause(&self, time: Duration) {
        self.paused.set(self.paused.get() + time);
        self.inner.let_others_run().await;
    }

    fn signal(&self) -> Signal {
        self.inner.signal()
    }

    fn reset(&self) -> Result<(), ConnectionError> {
        self.inner.reset()
    }
}

/// Returns a leaderboard that adds up the scores of a player.
fn sum_leaderboard(id: &str) -> leaderboard_core::Leaderboard {
    let mut sum = board(id);
    sum.operator = Operator::Increment;
    sum
}

#[test]
fn concurrent_requests_on_one_connection_do_not_mix() {
    block_on(async {
        let file = File::new();
        let store = SqliteStore::new(Observed::open(&file));
        let board = create_leaderboard(&store, &sum_leaderboard("sum")).await;
        let writers = (0..16).map(|_| async {
            for _ in 0..10 {
                submit_score(&store, &board, "ann", 1, 0).await;
                read_top(&store, &board, 10).await;
            }
        });
        join_all(writers).await;
        let page = read_top(&store, &board, 10).await;
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "ann", 160)]);
        assert_eq!(page.version, 161);
    });
}

#[test]
fn a_dropped_submission_is_applied_completely_or_not_at_all() {
    for polls in 0..8 {
        block_on(async {
            let file = File::new();
            let connection = Observed::open(&file);
            let busy = Rc::clone(&connection.busy);
            let store = SqliteStore::new(connection);
            let board = create_leaderboard(&store, &sum_leaderboard("sum")).await;
            let submissions = [prepare(&[Rc::clone(&board)], "bob", 1, Some("once"), at(0))];
            busy.set(4);
            let tenant = tenant();
            let mut request = Box::pin(store.submit(&tenant, &submissions, RankDetail::Full));
            for _ in 0..polls {
                if poll!(request.as_mut()).is_ready() {
                    break;
                }
            }
            drop(request);
            let outcome = submit_score(&store, &board, "ann", 1, 0).await;
            assert_eq!(outcome.values.first(), 1);
            let others = count_rows(&file, "entries") - 1;
            assert_eq!(count_rows(&file, "submissions"), others);
            assert_eq!(count_rows(&file, "events"), 2 + others);
            assert_eq!(others, i64::from(polls > 5), "after {polls} polls");
        });
    }
}

/// Compiling a statement takes about thirty times as long as running it.
#[test]
fn prepared_statements_are_not_compiled_again() {
    block_on(async {
        let file = File::new();
        create_leaderboard(&file.store(), &sum_leaderboard("sum")).await;
        let connection = Observed::open(&file);
        let compiled_again = Rc::clone(&connection.compiled_again);
        let store = SqliteStore::new(connection);
        let board = get(&store, &board("sum").id).await;
        for limit in 1..5 {
            submit_score(&store, &board, "ann", 1, 0).await;
            read_top(&store, &board, limit).await;
        }
        assert_eq!(compiled_again.get(), 0);
    });
}

/// Each statement is a call to the host, which costs more than SQLite's work, so the number is tested.
#[test]
fn a_submission_takes_seven_statements() {
    block_on(async {
        let file = File::new();
        let connection = Observed::open(&file);
        let statements = Rc::clone(&connection.statements);
        let store = SqliteStore::new(connection);
        let board = create_leaderboard(&store, &sum_leaderboard("sum")).await;
        submit_score(&store, &board, "ann", 1, 0).await;
        for id in ["first", "second"] {
            let submissions = [prepare(&[Rc::clone(&board)], "ann", 1, Some(id), at(0))];
            statements.set(0);
            store
                .submit(&tenant(), &submissions, RankDetail::Full)
                .await
                .unwrap();
            assert_eq!(statements.get(), 7);
        }
    });
}

#[test]
fn a_failed_commit_stores_nothing() {
    block_on(async {
        let file = File::new();
        let connection = Observed::open(&file);
        let fail = Rc::clone(&connection.fail_commit);
        let store = SqliteStore::new(connection);
        let board = create_leaderboard(&store, &sum_leaderboard("sum")).await;
        let submissions = [prepare(&[Rc::clone(&board)], "ann", 1, None, at(0))];
        fail.set(true);
        let failed = store.submit(&tenant(), &submissions, RankDetail::Full).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))));
        let outcome = submit_score(&store, &board, "ann", 1, 0).await;
        assert_eq!((outcome.values.first(), outcome.version), (1, 2));
    });
}

#[test]
fn sums_of_concurrent_connections_are_exact() {
    const WRITERS: usize = 4;
    const EACH: usize = 250;
    let file = File::new();
    block_on(async {
        create_leaderboard(&file.store(), &sum_leaderboard("sum")).await;
    });
    let mut versions: Vec<u64> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    block_on(async {
                        let store = file.store();
                        let board = get(&store, &board("sum").id).await;
                        let mut versions = Vec::new();
                        for _ in 0..EACH {
                            versions.push(submit_score(&store, &board, "ann", 1, 0).await.version);
                        }
                        versions
                    })
                })
            })
            .collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect()
    });
    versions.sort_unstable();
    let total = (WRITERS * EACH) as u64;
    assert_eq!(versions, (2..=total + 1).collect::<Vec<u64>>());
    block_on(async {
        let store = file.store();
        let board = get(&store, &board("sum").id).await;
        assert_eq!(
            read_top(&store, &board, 1).await.entries[0].entry.values.first(),
            1000
        );
    });
}

#[test]
fn a_writer_that_waits_too_long_fails_as_unavailable() {
    block_on(async {
        let file = File::new();
        let impatient = NativeSqlite::open_waiting(file.path(), Duration::from_millis(20)).unwrap();
        let store = SqliteStore::new(impatient);
        let board = create_leaderboard(&store, &sum_leaderboard("sum")).await;
        let other = file.raw();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let submissions = [prepare(&[Rc::clone(&board)], "ann", 1, None, at(0))];
        let waited = store.submit(&tenant(), &submissions, RankDetail::Full).await;
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        assert_eq!(read_top(&store, &board, 1).await.count, 0);
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(submit_score(&store, &board, "ann", 1, 0).await.values.first(), 1);
    });
}
