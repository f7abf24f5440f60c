//! Tests of many instances that wait for each other to write. The time is simulated: it passes with the tries of the instances, and while
//! all of them wait. So the results do not depend on the machine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use futures::executor::{LocalPool, block_on};
use futures::task::LocalSpawnExt;
use leaderboard_core::ports::{RankDetail, Scores};
use leaderboard_core::{Leaderboard, Operator, StoreError};
use leaderboard_sqlite::{Connection, ConnectionError, Row, Signal, SqliteStore, Synchronous, Value};
use leaderboard_test_support::PseudoRandom;

use crate::native_sqlite::NativeSqlite;
use crate::support::*;

/// The number of instances.
const WRITERS: usize = 64;
/// How often each of them writes if all can be served.
const WRITES: usize = 32;
/// How often each other instance may write while one waits, on average. One turn each would be strictly fair. If one waited until
/// the others have no more to write, these would have about [`WRITES`] turns.
const MAX_TURNS: usize = 16;
/// How long a try to begin a transaction takes on average (decision 43). The tries of all instances come one after another.
const TRY: Duration = Duration::from_micros(100);
/// How long a transaction keeps the lock on average (decision 43).
const USUAL_HOLD: Duration = Duration::from_micros(400);
/// The same, so long that one turn of all instances takes longer than a write may wait.
const LONG_HOLD: Duration = Duration::from_millis(400);
/// The longest time that a write takes: the wait for other instances (six seconds, decision 43), the last pause, and the tries.
const LONGEST_WRITE: Duration = Duration::from_secs(7);

/// The simulated time, and the lock of the file.
struct Simulation {
    now: Cell<Duration>,
    /// When the last transaction releases the lock.
    locked_until: Cell<Duration>,
    /// How many transactions were committed.
    commits: Cell<usize>,
    /// The pauses by their end. The number tells apart pauses that end together.
    pauses: RefCell<BTreeMap<(Duration, usize), Waker>>,
    pause_count: Cell<usize>,
    random: RefCell<PseudoRandom>,
}

impl Simulation {
    /// Returns a random time that is `time` on average: from half of it to one and a half.
    fn vary(&self, time: Duration) -> Duration {
        let percent = self.random.borrow_mut().below(100);
        time / 2 + time * u32::try_from(percent).unwrap() / 100
    }

    async fn pause(&self, time: Duration) {
        let end = self.now.get() + time;
        let number = self.pause_count.replace(self.pause_count.get() + 1);
        poll_fn(|context| {
            if self.now.get() >= end {
                return Poll::Ready(());
            }
            self.pauses
                .borrow_mut()
                .insert((end, number), context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Runs the writers. Whenever all of them wait, moves the time to the end of the next pause.
    fn run(&self, writers: impl Iterator<Item = impl Future<Output = ()> + 'static>) {
        let mut pool = LocalPool::new();
        for writer in writers {
            pool.spawner().spawn_local(writer).unwrap();
        }
        loop {
            pool.run_until_stalled();
            let Some(((end, _), waker)) = self.pauses.borrow_mut().pop_first() else {
                return;
            };
            self.now.set(self.now.get().max(end));
            waker.wake();
        }
    }
}

/// A connection of one instance. Each of its transactions keeps the lock for `hold`.
struct Simulated {
    inner: NativeSqlite,
    simulation: Rc<Simulation>,
    hold: Duration,
}

impl Connection for Simulated {
    fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError> {
        let simulation = &self.simulation;
        if sql == "BEGIN IMMEDIATE" {
            simulation.now.set(simulation.now.get() + simulation.vary(TRY));
            if simulation.now.get() < simulation.locked_until.get() {
                return Err(ConnectionError::Busy("database is locked".into()));
            }
            simulation
                .locked_until
                .set(simulation.now.get() + simulation.vary(self.hold));
            simulation.commits.set(simulation.commits.get() + 1);
        }
        self.inner.execute(sql, parameters)
    }

    async fn let_others_run(&self) {
        self.inner.let_others_run().await;
    }

    async fn pause(&self, time: Duration) {
        self.simulation.pause(time).await;
    }

    fn signal(&self) -> Signal {
        self.inner.signal()
    }

    fn reset(&self) -> Result<(), ConnectionError> {
        self.inner.reset()
    }
}

/// What happened during one write.
struct Write {
    /// Whether the score was applied. If not, the store was unavailable.
    is_applied: bool,
    /// How long the write took in total.
    took: Duration,
    /// How many transactions of others were committed meanwhile.
    others: usize,
}

/// Lets each of [`WRITERS`] instances submit `writes` scores of 1, one after another. Returns all writes.
fn write_from_all(file: &File, hold: Duration, writes: usize) -> Vec<Write> {
    let sum = Leaderboard {
        operator: Operator::Increment,
        ..board("sum")
    };
    let board = block_on(create_leaderboard(&file.store(), &sum));
    let simulation = Rc::new(Simulation {
        now: Cell::default(),
        locked_until: Cell::default(),
        commits: Cell::default(),
        pauses: RefCell::default(),
        pause_count: Cell::default(),
        random: RefCell::new(PseudoRandom(1)),
    });
    let all = Rc::new(RefCell::new(Vec::new()));
    let writer = |_| {
        let store = SqliteStore::new(Simulated {
            inner: NativeSqlite::open(file.path()).unwrap(),
            simulation: Rc::clone(&simulation),
            hold,
        })
        .with_synchronous(Synchronous::Normal);
        let (board, simulation, all) = (Rc::clone(&board), Rc::clone(&simulation), Rc::clone(&all));
        async move {
            for _ in 0..writes {
                let submissions = [prepare(&[Rc::clone(&board)], "ann", 1, None, at(0))];
                let (began, commits) = (simulation.now.get(), simulation.commits.get());
                let result = store.submit(&tenant(), &submissions, RankDetail::Full).await;
                if let Err(error) = &result {
                    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
                }
                let is_applied = result.is_ok();
                all.borrow_mut().push(Write {
                    is_applied,
                    took: simulation.now.get() - began,
                    others: simulation.commits.get() - commits - usize::from(is_applied),
                });
            }
        }
    };
    simulation.run((0..WRITERS).map(writer));
    let all = all.take();
    assert_eq!(all.len(), WRITERS * writes, "each write ends");
    let applied = all.iter().filter(|write| write.is_applied).count();
    let page = block_on(read_top(&file.store(), &board, 1));
    let sum = page.entries.first().map_or(0, |one| one.entry.values.first());
    assert_eq!(usize::try_from(sum), Ok(applied), "a failed write is not applied");
    all
}

#[test]
fn each_waiting_writer_is_served_after_a_bounded_number_of_turns() {
    let all = write_from_all(&File::new(), USUAL_HOLD, WRITES);
    assert!(all.iter().all(|write| write.is_applied));
    let others = all.iter().map(|write| write.others).max().unwrap();
    assert!(others <= MAX_TURNS * WRITERS, "{others} transactions of others");
}

#[test]
fn writers_that_cannot_all_be_served_fail_in_time() {
    let all = write_from_all(&File::new(), LONG_HOLD, 2);
    assert!(
        all.iter().any(|write| !write.is_applied),
        "one turn takes too long"
    );
    let longest = all.iter().map(|write| write.took).max().unwrap();
    assert!(longest < LONGEST_WRITE, "{longest:?}");
}
