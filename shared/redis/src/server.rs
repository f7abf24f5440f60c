//! A connection, and what this instance has found out about the server.

use std::cell::Cell;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Signal;

use crate::connection::{Connection, ConnectionError, Reply};
use crate::reply_reader::ReplyReader;

/// A server with scripts.
#[derive(Debug, Clone)]
pub(crate) struct Server<C> {
    connection: C,
    is_replica: bool,
    refuses_functions: Cell<bool>,
}

impl<C> Server<C> {
    /// Creates the primary.
    pub(crate) fn new(connection: C) -> Self {
        Self {
            connection,
            is_replica: false,
            refuses_functions: Cell::new(false),
        }
    }

    /// Creates a replica.
    pub(crate) fn new_replica(connection: C) -> Self {
        Self {
            is_replica: true,
            ..Self::new(connection)
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

impl<C: Connection> Server<C> {
    /// Sends a command, and returns the values of its reply.
    pub(crate) async fn send_command(
        &self,
        name: &str,
        arguments: &[&[u8]],
    ) -> Result<ReplyReader, StoreError> {
        Ok(ReplyReader::new(self.command(name, arguments).await?))
    }
}

impl<C: Connection> Connection for Server<C> {
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
