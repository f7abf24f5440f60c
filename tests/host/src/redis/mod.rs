//! Outbound Redis: `spin:redis/redis@3.0.0`.

mod commands;
mod connect;
mod host;
mod hub;
mod value;

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, Value};
use tokio::sync::OnceCell;

pub(crate) use connect::CONNECT_TIMEOUT;
pub(crate) use hub::RedisHub;
use hub::SharedConnection;

use crate::bindings::spin::redis::redis::Error;

/// Connections that one instance may hold open, as on Spin.
const MAX_CONNECTIONS: usize = 1024;
/// The largest answer a guest gets, as on Spin.
const MAX_ANSWER_BYTES: usize = 128 << 20;

/// Errors after which a guest that opens its connection again must not be given the same one: the address may lead to another
/// server by now.
const WRONG_SERVER: [&str; 5] = ["READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS"];

/// A guest's connection.
///
/// On Spin each one is a TCP connection of its own. Here all guests of a thread share one per address, as long as they
/// only send commands that leave no trace on the connection; with the first other command (`MULTI`, `SELECT`, `BLPOP`…)
/// the guest's connection moves to a TCP connection of its own, for good.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
#[derive(Clone)]
pub struct Connection {
    info: Arc<ConnectionInfo>,
    shared: SharedConnection,
    own: Arc<OnceCell<MultiplexedConnection>>,
}

impl Connection {
    /// Opens a connection to `address` on this thread.
    async fn open(hub: &RedisHub, address: &str) -> Result<Self, Error> {
        let info = address
            .into_connection_info()
            .map_err(|_| Error::InvalidAddress)?;
        let info = Arc::new(info);
        let shared = hub.shared(address, &info).await.map_err(Error::Other)?;
        Ok(Self {
            info,
            shared,
            own: Arc::new(OnceCell::new()),
        })
    }

    async fn send(&self, command: &Cmd, name: &str) -> redis::RedisResult<Value> {
        let mut connection = match self.own.get() {
            Some(own) => own.clone(),
            None if commands::needs_own_connection(name) => self
                .own
                .get_or_try_init(|| connect::dedicated(&self.info))
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

    async fn query<T: FromRedisValue>(&self, command: &Cmd, name: &str) -> redis::RedisResult<T> {
        Ok(T::from_redis_value(self.send(command, name).await?)?)
    }
}

fn other(error: impl std::fmt::Display) -> Error {
    Error::Other(error.to_string())
}
