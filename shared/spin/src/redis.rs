//! One multiplexed Redis connection for each instance.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_redis::{Connection, ConnectionError, Reply};
use spin_sdk::redis::{self, RedisParameter, RedisResult};

use crate::timeout::{TimedOut, within};

/// How long opening a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_millis(1_000);
/// How long a command may take, a slow script on a large leaderboard included.
const COMMAND_LIMIT: Duration = Duration::from_millis(3_000);

/// How long a pause between two steps of work is.
const PAUSE: Duration = Duration::from_millis(1);

/// A connection that is opened at its first use, and again after a failure or once its server is no primary any more. Commands of interleaved requests
/// share it: it is multiplexed, so they are pipelined and never wait for each other's answers.
pub(crate) struct RedisConnection {
    address: String,
    open: RefCell<Option<Rc<redis::Connection>>>,
}

impl std::fmt::Debug for RedisConnection {
    /// Without the address: it can hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisConnection")
    }
}

impl RedisConnection {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            open: RefCell::default(),
        }
    }

    async fn connection(&self) -> Result<Rc<redis::Connection>, ConnectionError> {
        if let Some(open) = self.open.borrow().as_ref() {
            return Ok(Rc::clone(open));
        }
        let opened = within(CONNECT_LIMIT, redis::Connection::open(&self.address))
            .await
            .map_err(|TimedOut| unavailable("connecting took too long"))?
            .map_err(|error| classify(&error))?;
        // Requests that arrived together may each have opened one; the first is everyone's.
        Ok(Rc::clone(
            self.open.borrow_mut().get_or_insert_with(|| Rc::new(opened)),
        ))
    }

    /// Forgets `failed`, unless another request has replaced it already.
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
        let outcome = match within(COMMAND_LIMIT, connection.execute(name, parameters)).await {
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
}

fn reply_of(result: RedisResult) -> Reply {
    match result {
        RedisResult::Nil => Reply::Nil,
        RedisResult::Status(text) => Reply::Status(text),
        RedisResult::Int64(number) => Reply::Integer(number),
        RedisResult::Binary(bytes) => Reply::Bytes(bytes),
    }
}
