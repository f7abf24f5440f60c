//! A connection that records its transactions, pauses and reads.

use std::cell::{Cell as Counter, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leaderboard_sqlite::{Cell, Connection, ConnectionError, Row, Signal, Value};

use crate::native_sqlite::NativeSqlite;
use crate::support::File;

/// A transaction, or a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// A transaction with its number of statements and of changed rows, also of rows that triggers change.
    Transaction { statements: i64, rows: i64 },
    /// A pause of about a millisecond.
    Pause,
}

/// A connection that records its transactions, pauses and reads.
pub(crate) struct Measured {
    inner: NativeSqlite,
    /// The number of rows that the connection had changed when the transaction began, and the number of
    /// statements of the transaction so far.
    open: Counter<(i64, i64)>,
    /// The transactions and pauses in their order.
    pub(crate) done: Rc<RefCell<Vec<Done>>>,
    /// The text of each `SELECT` statement.
    pub(crate) selects: Rc<RefCell<Vec<String>>>,
}

impl Measured {
    pub(crate) fn open(file: &File) -> Self {
        Self {
            inner: NativeSqlite::open(file.path()).unwrap(),
            open: Counter::default(),
            done: Rc::default(),
            selects: Rc::default(),
        }
    }

    /// Returns the number of rows that the connection has changed so far.
    fn count_changed_rows(&self) -> i64 {
        let rows = self.inner.execute("SELECT total_changes()", &[]).unwrap();
        let Cell::Integer(changed) = rows[0][0] else {
            panic!("{rows:?}")
        };
        changed
    }
}

impl Connection for Measured {
    fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError> {
        if sql.starts_with("BEGIN") {
            self.open.set((self.count_changed_rows(), 0));
        } else if sql == "COMMIT" {
            let (before, statements) = self.open.get();
            let rows = self.count_changed_rows() - before;
            self.done
                .borrow_mut()
                .push(Done::Transaction { statements, rows });
        } else if sql.starts_with("SELECT") {
            self.selects.borrow_mut().push(sql.to_owned());
        }
        let (before, statements) = self.open.get();
        self.open.set((before, statements + 1));
        self.inner.execute(sql, parameters)
    }

    async fn let_others_run(&self) {}

    fn signal(&self) -> Signal {
        self.inner.signal()
    }

    async fn pause(&self, _time: Duration) {
        self.done.borrow_mut().push(Done::Pause);
    }

    fn reset(&self) -> Result<(), ConnectionError> {
        self.inner.reset()
    }
}
