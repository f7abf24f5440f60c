//! TCP connections to Redis: no delay, a limit on connecting, and no limit on answers, as on Spin.

use std::io;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisError, RedisResult};
use tokio::net::TcpStream;

/// How long connecting may take, including the name's resolution and the login.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a connection that is not shared.
pub(super) async fn dedicated(info: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let settings = TcpSettings::default().set_nodelay(true);
    let client = Client::open(info.clone().set_tcp_settings(settings))?;
    client
        .get_multiplexed_async_connection_with_config(&config().set_connection_timeout(Some(CONNECT_TIMEOUT)))
        .await
}

/// A plain TCP connection and the future that drives it, which ends when the server goes away.
/// `None` when the address is of another kind (TLS, Unix socket).
pub(super) async fn driven(
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
