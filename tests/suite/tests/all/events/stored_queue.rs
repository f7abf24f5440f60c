//! The queue of a store, as a test sees and changes it beside the service.

use std::path::PathBuf;

use leaderboard_core::TenantId;
use leaderboard_core::ports::{NewQueueItem, Queue};
use leaderboard_sqlite::SqliteStore;
use leaderboard_test_support::native_sqlite::NativeSqlite;
use leaderboard_test_support::{ApiClient, wait_until};
use redis::aio::MultiplexedConnection;

/// The stream of the queue on Redis.
const STREAM: &str = "eb::queue";
/// How many messages one command appends.
const APPENDED_AT_ONCE: usize = 1_000;

/// The queue of a store.
pub(super) enum StoredQueue {
    /// The address of the Redis server.
    Redis(String),
    /// The database file.
    Sqlite(PathBuf),
}

async fn connect(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

fn open(path: &PathBuf) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(path).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    database
}

impl StoredQueue {
    /// Appends messages: on Redis as backends do, on SQLite as requests of this tenant.
    pub(super) async fn append(&self, tenant: &str, messages: &[Vec<u8>]) {
        match self {
            Self::Redis(url) => {
                let mut redis = connect(url).await;
                for some in messages.chunks(APPENDED_AT_ONCE) {
                    let mut pipe = redis::pipe();
                    for message in some {
                        let command = pipe.cmd("XADD").arg(STREAM).arg("*");
                        command.arg("message").arg(message).ignore();
                    }
                    pipe.query_async::<()>(&mut redis).await.unwrap();
                }
            }
            Self::Sqlite(path) => {
                let store = SqliteStore::new(NativeSqlite::open(path).unwrap());
                let tenant = TenantId::new(tenant).unwrap();
                for (n, message) in messages.iter().enumerate() {
                    let item = NewQueueItem {
                        id: &n.to_string(),
                        player: None,
                        digest: [7; 16],
                        payload: message,
                    };
                    store.enqueue(&tenant, &item).await.unwrap().unwrap();
                }
            }
        }
    }

    /// Returns the number of items.
    pub(super) async fn length(&self) -> i64 {
        match self {
            Self::Redis(url) => {
                let mut command = redis::cmd("XLEN");
                command.arg(STREAM);
                command.query_async(&mut connect(url).await).await.unwrap()
            }
            Self::Sqlite(path) => {
                let count = "SELECT count(*) FROM queue_items";
                open(path).query_row(count, [], |row| row.get(0)).unwrap()
            }
        }
    }

    /// Ends the leases of all claimed items, as if 30 seconds had passed.
    async fn end_leases(&self) {
        match self {
            Self::Redis(url) => {
                let script = " \
                     for _, entry in ipairs(redis.call('XPENDING', KEYS[1], 'edgeboard', '-', '+', 100000)) do \
                     redis.call('XCLAIM', KEYS[1], 'edgeboard', 'edgeboard', 0, entry[1], 'IDLE', 60000, 'JUSTID') end";
                let mut command = redis::cmd("EVAL");
                command.arg(script).arg(1).arg(STREAM);
                let _: redis::Value = command.query_async(&mut connect(url).await).await.unwrap();
            }
            Self::Sqlite(path) => {
                let end = "UPDATE queue_items SET due_at = enqueued_at";
                open(path).execute(end, []).unwrap();
            }
        }
    }

    /// Drains the queue until it is empty.
    pub(super) async fn drain_all(&self, api: &ApiClient) {
        let drain = async || {
            self.end_leases().await;
            api.request_at("POST", "/internal/tick").send().await;
            self.length().await
        };
        wait_until(drain, |left| *left == 0).await;
    }
}
