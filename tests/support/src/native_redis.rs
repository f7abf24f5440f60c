//! A connection to Redis for tests and measurements. It uses the native client instead of a host.

use std::task::Poll;
use std::time::Duration;

use futures::channel::oneshot;
use leaderboard_redis::{Connection, ConnectionError, Reply, Signal};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, Value};

/// The longest time to wait for a response, in seconds. A rebuild of the largest period takes a few seconds.
const RESPONSE_TIMEOUT_S: u64 = 30;

/// One multiplexed connection, without Nagle's algorithm. Clones share the connection.
#[derive(Clone)]
pub struct NativeRedis(MultiplexedConnection);

/// Connects to `redis://host:port/database`.
///
/// # Panics
/// When no server answers.
#[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
pub async fn connect(url: &str) -> NativeRedis {
    try_connect(url).await.expect("a Redis server")
}

/// Connects to a server that may be down.
///
/// # Errors
/// The client's error.
pub async fn try_connect(url: &str) -> redis::RedisResult<NativeRedis> {
    let tcp = TcpSettings::default().set_nodelay(true);
    let info = url.into_connection_info()?.set_tcp_settings(tcp);
    let timeout = Duration::from_secs(RESPONSE_TIMEOUT_S);
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(timeout));
    let client = Client::open(info)?;
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.map(NativeRedis)
}

impl Connection for NativeRedis {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        let mut command = redis::cmd(name);
        for argument in arguments {
            command.arg(*argument);
        }
        let answer: Value = command
            .query_async(&mut self.0.clone())
            .await
            .map_err(|error| ConnectionError::from_text(&error.to_string()))?;
        let mut replies = Vec::new();
        flatten(answer, &mut replies)?;
        Ok(replies)
    }

    async fn pause(&self) {
        let mut paused = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn signal(&self) -> Signal {
        let (sender, receiver) = oneshot::channel::<()>();
        let dropped = async {
            let _ = receiver.await;
        };
        (Box::new(sender), Box::pin(dropped))
    }
}

/// Appends a value to the replies. Arrays are flattened, as Spin flattens them.
fn flatten(value: Value, replies: &mut Vec<Reply>) -> Result<(), ConnectionError> {
    replies.push(match value {
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Integer(number),
        Value::BulkString(bytes) => Reply::Bytes(bytes),
        Value::SimpleString(status) => Reply::Status(status),
        Value::Okay => Reply::Status("OK".into()),
        Value::Double(number) => Reply::Status(number.to_string()),
        Value::Boolean(value) => Reply::Integer(i64::from(value)),
        Value::Array(values) | Value::Set(values) => {
            for value in values {
                flatten(value, replies)?;
            }
            return Ok(());
        }
        Value::ServerError(error) => return Err(ConnectionError::from_text(&error.to_string())),
        other => {
            return Err(ConnectionError::Refused {
                code: "TYPE".into(),
                message: format!("{other:?} has no place in a flat answer"),
            });
        }
    });
    Ok(())
}
