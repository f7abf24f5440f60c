//! Opens TCP connections to Redis, as Spin does: with `TCP_NODELAY`, a time limit for connecting, and no time
//! limit for replies.

use std::io;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisError, RedisResult};
use tokio::net::TcpStream;

/// The longest time for connecting, including the resolution of the name and the login.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a connection that is not shared.
pub(super) async fn open_dedicated(info: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let settings = TcpSettings::default().set_nodelay(true);
    let client = Client::open(info.clone().set_tcp_settings(settings))?;
    client
        .get_multiplexed_async_connection_with_config(&config().set_connection_timeout(Some(CONNECT_TIMEOUT)))
        .await
}

/// Opens a plain TCP connection. Returns the connection, and the future that drives it and ends when the
/// server closes the connection. Returns `None` for an address of another kind (TLS, Unix socket).
pub(super) async fn open_driven(
    info: &ConnectionInfo,
) -> RedisResult<Option<(MultiplexedConnection, BoxFuture<'static, ()>)>> {
    let ConnectionAddr::Tcp(host, port) = info.addr() else {
        return Ok(None);
    };
    let connect = async {
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        stream.set_nodelay(true)?;
        let connected = MultiplexedConnection::new_with_config(info.redis_settings(), stream, config()).await;
        connected.map(|(connection, driver)| (connection, driver.boxed()))
    };
    let timed_out = || RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
    tokio::time::timeout(CONNECT_TIMEOUT, connect)
        .await
        .map_err(|_| timed_out())?
        .map(Some)
}

fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_response_timeout(None)
}
