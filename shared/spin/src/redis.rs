//! One multiplexed Redis connection for each instance.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_redis::{Connection, ConnectionError, Reply, Signal};
use spin_sdk::redis::{self, RedisParameter, RedisResult};

use crate::signal::create_signal;
use crate::timeout::{TimedOut, within};

/// The longest time for opening a connection.
const CONNECT_LIMIT: Duration = Duration::from_millis(1_000);
/// The longest time for a command, also for a slow script on a large leaderboard.
const COMMAND_LIMIT: Duration = Duration::from_millis(3_000);

/// The longest time for opening a connection to a replica, and for a command of it. A replica is near, and the primary answers in its
/// place.
const REPLICA_LIMIT: Duration = Duration::from_millis(300);

/// The pause between two steps of long work.
const PAUSE: Duration = Duration::from_millis(1);

/// A connection that is opened at its first use. It is opened again after a failure, and when its server is not the primary any
/// more. All requests of the instance share it. It is multiplexed: commands are pipelined, so no request waits for the reply to
/// another.
pub(crate) struct RedisConnection {
    address: String,
    connect_limit: Duration,
    command_limit: Duration,
    open: RefCell<Option<Rc<redis::Connection>>>,
}

impl std::fmt::Debug for RedisConnection {
    /// Leaves out the address, which can contain a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisConnection")
    }
}

impl RedisConnection {
    /// Creates a connection to the primary.
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            connect_limit: CONNECT_LIMIT,
            command_limit: COMMAND_LIMIT,
            open: RefCell::default(),
        }
    }

    /// Creates a connection to a replica.
    pub(crate) fn new_replica(address: String) -> Self {
        Self {
            connect_limit: REPLICA_LIMIT,
            command_limit: REPLICA_LIMIT,
            ..Self::new(address)
        }
    }

    async fn connection(&self) -> Result<Rc<redis::Connection>, ConnectionError> {
        if let Some(open) = self.open.borrow().as_ref() {
            return Ok(Rc::clone(open));
        }
        let opened = within(self.connect_limit, redis::Connection::open(&self.address))
            .await
            .map_err(|TimedOut| unavailable("connecting took too long"))?
            .map_err(|error| classify(&error))?;
        // Several requests can each open a connection at the same time. All use the first.
        Ok(Rc::clone(
            self.open.borrow_mut().get_or_insert_with(|| Rc::new(opened)),
        ))
    }

    /// Drops a failed connection, unless another request has already replaced it.
    fn drop_connection(&self, failed: &Rc<redis::Connection>) {
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_some_and(|current| Rc::ptr_eq(current, failed)) {
            *open = None;
        }
    }
}

fn unavailable(cause: &str) -> ConnectionError {
    ConnectionError::Unavailable(cause.to_owned())
}

fn classify(error: &redis::Error) -> ConnectionError {
    match error {
        redis::Error::Other(text) => ConnectionError::from_text(text),
        redis::Error::InvalidAddress => {
            unavailable("the address is not valid, or not granted to this component")
        }
        redis::Error::TooManyConnections => unavailable("too many connections"),
        redis::Error::TypeError => ConnectionError::from_text("WRONGTYPE unexpected type of a reply"),
    }
}

impl Connection for RedisConnection {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        let connection = self.connection().await?;
        let parameters = arguments
            .iter()
            .map(|bytes| RedisParameter::Binary(bytes.to_vec()));
        let outcome = match within(self.command_limit, connection.execute(name, parameters)).await {
            Ok(outcome) => outcome.map_err(|error| classify(&error)),
            Err(TimedOut) => Err(unavailable("the command took too long")),
        };
        if outcome.as_ref().is_err_and(ConnectionError::ends_connection) {
            self.drop_connection(&connection);
        }
        Ok(outcome?.into_iter().map(reply_of).collect())
    }

    async fn pause(&self) {
        spin_sdk::time::sleep(PAUSE).await;
    }

    fn signal(&self) -> Signal {
        create_signal()
    }
}

fn reply_of(result: RedisResult) -> Reply {
    match result {
        RedisResult::Nil => Reply::Nil,
        RedisResult::Status(text) => Reply::Status(text),
        RedisResult::Int64(number) => Reply::Integer(number),
        RedisResult::Binary(bytes) => Reply::Bytes(bytes),
    }
}
