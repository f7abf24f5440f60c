//! One Redis server: a connection, and what this instance has found out about the server.

use std::cell::Cell;

use leaderboard_core::ports::Signal;

use crate::connection::{Connection, ConnectionError, Reply};

/// A server with scripts: the only one, a shard, or a replica.
#[derive(Debug, Clone)]
pub(crate) struct Shard<C> {
    connection: C,
    is_replica: bool,
    refuses_functions: Cell<bool>,
}

impl<C> Shard<C> {
    pub(crate) fn new(connection: C, is_replica: bool) -> Self {
        Self {
            connection,
            is_replica,
            refuses_functions: Cell::new(false),
        }
    }

    pub(crate) fn is_replica(&self) -> bool {
        self.is_replica
    }

    /// Returns whether the server has no functions, or this Redis user has no permission for functions.
    pub(crate) fn refuses_functions(&self) -> bool {
        self.refuses_functions.get()
    }

    /// Stops the use of functions for the life of the instance.
    pub(crate) fn stop_using_functions(&self) {
        self.refuses_functions.set(true);
    }
}

impl<C: Connection> Connection for Shard<C> {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        self.connection.command(name, arguments).await
    }

    async fn pause(&self) {
        self.connection.pause().await;
    }

    fn signal(&self) -> Signal {
        self.connection.signal()
    }
}
