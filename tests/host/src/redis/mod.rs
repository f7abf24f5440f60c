//! Connections of guests to Redis.

mod commands;
mod connect;
mod hub;

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, ConnectionInfo, FromRedisValue, Value};
use tokio::sync::OnceCell;

pub(crate) use connect::CONNECT_TIMEOUT;
pub(crate) use hub::RedisHub;
use hub::SharedConnection;

/// The errors after which a connection is no longer shared, because the address may lead to another server
/// now.
const WRONG_SERVER: [&str; 5] = ["READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS"];

/// A guest's connection.
///
/// On Spin, each guest's connection is its own TCP connection. Here, all guests of a thread share one TCP
/// connection for each address, as long as they send only commands that do not change the state of the
/// connection. With the first other command (`MULTI`, `SELECT`, `BLPOP` and so on), a guest gets its own TCP
/// connection and keeps it.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
#[derive(Clone)]
pub struct Connection {
    info: Arc<ConnectionInfo>,
    shared: SharedConnection,
    own: Arc<OnceCell<MultiplexedConnection>>,
}

impl Connection {
    /// Opens a connection to `address` on this thread.
    ///
    /// # Errors
    /// The reason why Redis cannot be reached.
    pub(crate) async fn open(hub: &RedisHub, address: &str, info: ConnectionInfo) -> Result<Self, String> {
        let info = Arc::new(info);
        Ok(Self {
            shared: hub.shared(address, &info).await?,
            info,
            own: Arc::new(OnceCell::new()),
        })
    }

    async fn send(&self, command: &Cmd) -> redis::RedisResult<Value> {
        let mut connection = match self.own.get() {
            Some(own) => own.clone(),
            None if commands::needs_own_connection(command_name(command)) => self
                .own
                .get_or_try_init(|| connect::open_dedicated(&self.info))
                .await?
                .clone(),
            None => self.shared.connection.clone(),
        };
        let value = connection.send_packed_command(command).await?.extract_error();
        if let Err(error) = &value
            && error.code().is_some_and(|code| WRONG_SERVER.contains(&code))
        {
            self.shared.retire();
        }
        value
    }

    /// Sends a command and converts the answer.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> redis::RedisResult<T> {
        Ok(T::from_redis_value(self.send(command).await?)?)
    }
}

fn command_name(command: &Cmd) -> &[u8] {
    match command.args_iter().next() {
        Some(Arg::Simple(name)) => name,
        Some(_) | None => &[],
    }
}
