//! A connection that holds commands back until the test lets them pass.

use std::cell::Cell;

use leaderboard_redis::{Connection, ConnectionError, Reply, Signal};
use tokio::sync::Semaphore;

use crate::native_redis::NativeRedis;
use crate::server::Server;

/// The number of commands that a test may send before it closes the gate.
const OPEN: usize = 1_000;

/// A connection that can hold commands back.
pub(crate) struct Gate {
    inner: NativeRedis,
    permits: Semaphore,
    waiting: Cell<usize>,
    fails: Cell<bool>,
    is_next_late: Cell<bool>,
    replies: Cell<usize>,
}

/// Counts a command while it waits.
struct Waiting<'a>(&'a Cell<usize>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Gate {
    /// Opens a connection that lets commands pass.
    pub(crate) async fn open(server: &Server) -> Self {
        Self {
            inner: server.connection().await,
            permits: Semaphore::new(OPEN),
            waiting: Cell::new(0),
            fails: Cell::new(false),
            is_next_late: Cell::new(false),
            replies: Cell::new(0),
        }
    }

    /// Holds all further commands back.
    pub(crate) fn close(&self) {
        self.permits.forget_permits(OPEN);
    }

    /// Lets this many commands pass.
    pub(crate) fn let_pass(&self, count: usize) {
        self.permits.add_permits(count);
    }

    /// Lets one command fail without a reply.
    pub(crate) fn fail(&self) {
        self.fails.set(true);
        self.let_pass(1);
    }

    /// Holds the reply to the next command back until the reply to another one has arrived.
    pub(crate) fn delay_next_reply(&self) {
        self.is_next_late.set(true);
    }

    /// Returns how many commands are held back.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.get()
    }
}

impl Connection for &Gate {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        self.waiting.set(self.waiting.get() + 1);
        let waiting = Waiting(&self.waiting);
        self.permits.acquire().await.unwrap().forget();
        drop(waiting);
        if self.fails.take() {
            return Err(ConnectionError::Unavailable("the server was lost".into()));
        }
        let is_late = self.is_next_late.take();
        let before = self.replies.get();
        let reply = self.inner.command(name, arguments).await;
        while is_late && self.replies.get() == before {
            self.inner.pause().await;
        }
        self.replies.set(self.replies.get() + 1);
        reply
    }

    async fn pause(&self) {
        self.inner.pause().await;
    }

    fn signal(&self) -> Signal {
        self.inner.signal()
    }
}
