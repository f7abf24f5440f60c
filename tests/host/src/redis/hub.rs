//! The connections that the guests of one thread share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use redis::ConnectionInfo;
use redis::aio::MultiplexedConnection;

use super::connect;

/// One connection for each address. It must only be used on the thread whose runtime drives the connections.
#[derive(Default)]
pub(crate) struct RedisHub {
    links: Mutex<HashMap<String, Link>>,
}

/// A connection that is being opened. The reason of a failure is a text, because several guests get a copy of
/// it.
type Attempt = Shared<BoxFuture<'static, Result<Option<MultiplexedConnection>, String>>>;

#[derive(Clone)]
struct Link {
    attempt: Attempt,
    /// Whether the connection must no longer be shared: it broke, could not be opened, or its server is not
    /// the primary.
    dead: Arc<AtomicBool>,
}

/// A connection that guests share.
#[derive(Clone)]
pub(super) struct SharedConnection {
    pub(super) connection: MultiplexedConnection,
    dead: Arc<AtomicBool>,
}

impl SharedConnection {
    /// Stops sharing this connection: the next guest that opens a connection to this address gets a new one,
    /// as on Spin.
    pub(super) fn retire(&self) {
        self.dead.store(true, Relaxed);
    }
}

impl RedisHub {
    /// Returns the shared connection to `address`. Opens a connection if the hub has no connection to this
    /// address, or if that connection broke.
    ///
    /// # Errors
    /// The reason why Redis cannot be reached.
    pub(super) async fn shared(
        &self,
        address: &str,
        info: &Arc<ConnectionInfo>,
    ) -> Result<SharedConnection, String> {
        let Link { attempt, dead } = self.find_or_start_link(address, info);
        let connection = match attempt.await? {
            Some(connection) => connection,
            None => connect::open_dedicated(info)
                .await
                .map_err(|error| error.to_string())?,
        };
        Ok(SharedConnection { connection, dead })
    }

    fn find_or_start_link(&self, address: &str, info: &Arc<ConnectionInfo>) -> Link {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(address)
            && !link.dead.load(Relaxed)
        {
            return link.clone();
        }
        let link = Link::start(info.clone());
        links.insert(address.to_owned(), link.clone());
        link
    }
}

impl Link {
    /// Starts to connect in a task of this thread's runtime, so that connecting continues when the guest
    /// ends.
    fn start(info: Arc<ConnectionInfo>) -> Self {
        let dead = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let flag = dead.clone();
        tokio::spawn(async move {
            match connect::open_driven(&info).await {
                Ok(Some((connection, driver))) => {
                    _ = sender.send(Ok(Some(connection)));
                    driver.await;
                    flag.store(true, Relaxed);
                }
                Ok(None) => _ = sender.send(Ok(None)),
                Err(error) => {
                    flag.store(true, Relaxed);
                    _ = sender.send(Err(error.to_string()));
                }
            }
        });
        let attempt = async move {
            receiver
                .await
                .unwrap_or_else(|_| Err("the host is stopping".to_owned()))
        };
        Self {
            attempt: attempt.boxed().shared(),
            dead,
        }
    }
}
