//! One connection for many requests, and many connections to one file.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use leaderboard_core::ports::{RankDetail, Scores};
use leaderboard_core::{Operator, StoreError};
use leaderboard_sqlite::{Connection, ConnectionError, Row, SqliteStore, Value};

use crate::native_sqlite::NativeSqlite;
use crate::support::*;

/// Lets other requests run before and after every statement, as a call to the host does; and loses the
/// connection's patience when told to.
pub(crate) struct Slow {
    inner: NativeSqlite,
    statements: Rc<Cell<u32>>,
    /// How many transactions that write were begun.
    pub(crate) write_transactions: Rc<Cell<u32>>,
    fail_commit: Rc<Cell<bool>>,
    keep_on_reset: bool,
}

impl Slow {
    pub(crate) fn open(file: &File) -> Self {
        Self {
            inner: NativeSqlite::open(file.path()).unwrap(),
            statements: Rc::default(),
            write_transactions: Rc::default(),
            fail_commit: Rc::default(),
            keep_on_reset: false,
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Connection for Slow {
    async fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError> {
        yield_once().await;
        if sql == "COMMIT" && self.fail_commit.take() {
            return Err(ConnectionError::Io("disk I/O error".into()));
        }
        self.statements.set(self.statements.get() + 1);
        if sql == "BEGIN IMMEDIATE" {
            self.write_transactions.set(self.write_transactions.get() + 1);
        }
        let rows = self.inner.execute(sql, parameters).await;
        yield_once().await;
        rows
    }

    async fn pause(&self, time: Duration) {
        self.inner.pause(time).await;
    }

    async fn reset(&self) -> Result<(), ConnectionError> {
        if self.keep_on_reset {
            // The default of the trait, on the same connection.
            return match self.inner.execute("ROLLBACK", &[]).await {
                Ok(_) | Err(ConnectionError::Other(_)) => Ok(()),
                Err(error) => Err(error),
            };
        }
        self.inner.reset().await
    }
}

fn counter(id: &str) -> leaderboard_core::Leaderboard {
    let mut sum = board(id);
    sum.operator = Operator::Increment;
    sum
}

#[test]
fn requests_of_one_instance_do_not_mix() {
    block_on(async {
        let file = File::new();
        let store = SqliteStore::new(Slow::open(&file));
        let board = configured(&store, &counter("sum")).await;
        let writers = (0..16).map(|_| async {
            for _ in 0..10 {
                score(&store, &board, "ann", 1, 0).await;
                top(&store, &board, 10).await;
            }
        });
        join_all(writers).await;
        let page = top(&store, &board, 10).await;
        assert_eq!(lines(&page), [line(1, "ann", 160)]);
        assert_eq!(page.version, 161);
    });
}

/// Drops a submission after each possible number of statements.
fn abandon(keep_on_reset: bool) {
    block_on(async {
        let file = File::new();
        let mut slow = Slow::open(&file);
        slow.keep_on_reset = keep_on_reset;
        let statements = Rc::clone(&slow.statements);
        let store = SqliteStore::new(slow);
        let board = configured(&store, &counter("sum")).await;
        let attempts = [attempt(&[Rc::clone(&board)], "bob", 1, Some("once"), at(0))];
        let tenant = tenant();
        let mut dropped = 0;
        for limit in 1.. {
            let before = statements.get();
            let mut request = Box::pin(store.submit(&tenant, &attempts, RankDetail::Full));
            let finished = poll_fn(|context| {
                if statements.get() - before >= limit {
                    return Poll::Ready(false);
                }
                request.as_mut().poll(context).map(|result| result.is_ok())
            })
            .await;
            if finished {
                break;
            }
            dropped += 1;
            drop(request);
            score_after(&file, &store, &board, limit).await;
        }
        assert!(dropped > 5, "{dropped}");
    });
}

/// A score after an abandoned submission counts, and the abandoned one counts in whole or not at all.
async fn score_after(file: &File, store: &SqliteStore<Slow>, board: &Board, n: u32) {
    let outcome = score(store, board, "ann", 1, 0).await;
    assert_eq!(outcome.values.first(), i64::from(n));
    let entries = rows(file, "entries");
    assert_eq!(rows(file, "submissions"), entries - 1);
    assert_eq!(rows(file, "events"), i64::from(n) + entries);
}

#[test]
fn an_abandoned_transaction_is_left_behind_with_its_connection() {
    abandon(false);
}

#[test]
fn an_abandoned_transaction_is_rolled_back() {
    abandon(true);
}

#[test]
fn a_failing_commit_keeps_nothing() {
    block_on(async {
        let file = File::new();
        let slow = Slow::open(&file);
        let fail = Rc::clone(&slow.fail_commit);
        let store = SqliteStore::new(slow);
        let board = configured(&store, &counter("sum")).await;
        let attempts = [attempt(&[Rc::clone(&board)], "ann", 1, None, at(0))];
        fail.set(true);
        let failed = store.submit(&tenant(), &attempts, RankDetail::Full).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))));
        let outcome = score(&store, &board, "ann", 1, 0).await;
        assert_eq!((outcome.values.first(), outcome.version), (1, 2));
    });
}

#[test]
fn connections_take_turns_and_sums_are_exact() {
    const WRITERS: usize = 4;
    const EACH: usize = 250;
    let file = File::new();
    block_on(async {
        configured(&file.store(), &counter("sum")).await;
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
                            versions.push(score(&store, &board, "ann", 1, 0).await.version);
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
        assert_eq!(top(&store, &board, 1).await.entries[0].entry.values.first(), 1000);
    });
}

#[test]
fn a_writer_that_waits_too_long_says_so() {
    block_on(async {
        let file = File::new();
        let impatient = NativeSqlite::open_waiting(file.path(), Duration::from_millis(20)).unwrap();
        let store = SqliteStore::new(impatient);
        let board = configured(&store, &counter("sum")).await;
        let other = file.raw();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let attempts = [attempt(&[Rc::clone(&board)], "ann", 1, None, at(0))];
        let waited = store.submit(&tenant(), &attempts, RankDetail::Full).await;
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        assert_eq!(top(&store, &board, 1).await.count, 0);
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(score(&store, &board, "ann", 1, 0).await.values.first(), 1);
    });
}
