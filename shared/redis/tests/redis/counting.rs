//! A connection that records commands.

use std::cell::RefCell;

use leaderboard_redis::{Connection, ConnectionError, Reply, Signal};

use crate::native_redis::NativeRedis;
use crate::server::Server;

/// A connection that records the names of the commands that it sends.
pub(crate) struct CountingConnection {
    inner: NativeRedis,
    sent: RefCell<Vec<String>>,
}

impl Connection for &CountingConnection {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        self.sent.borrow_mut().push(name.to_owned());
        self.inner.command(name, arguments).await
    }

    async fn pause(&self) {
        self.inner.pause().await;
    }

    fn signal(&self) -> Signal {
        self.inner.signal()
    }
}

impl CountingConnection {
    /// Opens a connection to the server.
    pub(crate) async fn open(server: &Server) -> Self {
        Self::new(server.connection().await)
    }

    pub(crate) fn new(inner: NativeRedis) -> Self {
        Self {
            inner,
            sent: RefCell::default(),
        }
    }

    /// Returns and forgets the recorded names.
    pub(crate) fn take_sent(&self) -> Vec<String> {
        self.sent.take()
    }
}
